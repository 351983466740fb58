// Two documents over each other: one solid, one dashed; what only one hides is hatched.

import { useId, useMemo, useRef } from "preact/hooks";
import { PANORAMA_SHEET, pictureChart, type Sheet } from "../masks/chart";
import type { MaskDocument } from "../masks/document";
import { useTexts } from "../text/language";
import { Grid } from "./Panorama";
import { useScale } from "./Stage";
import { path } from "./ZoneShapes";

export interface Side {
  name: string;
  document: MaskDocument;
}

/** For documents of fixed cameras, whose picture has no other size here. */
const PICTURE = { width: 1280, height: 720 };

export function Compare({ solid, dashed }: { solid: Side; dashed: Side }) {
  const { t } = useTexts();
  const drawing = useRef<SVGSVGElement>(null);
  const id = useId();
  const sheet = useMemo(() => sheetFor(solid.document, dashed.document), [solid.document, dashed.document]);
  const scale = useScale(drawing, sheet.width);
  const [a, b] = [outlinesOf(solid.document, sheet), outlinesOf(dashed.document, sheet)];
  const all = { x: 0, y: 0, width: sheet.width, height: sheet.height };
  const step = 8 * scale;
  const mask = (name: string) => `url(#${id}-${name})`;
  return (
    <figure class="compare">
      <svg
        ref={drawing}
        viewBox={`0 0 ${sheet.width} ${sheet.height}`}
        role="img"
        aria-label={t.masks.compare.label(solid.name, dashed.name)}
      >
        <defs>
          {(["solid", "dashed"] as const).map((side) => (
            <pattern
              key={side}
              id={`${id}-hatch-${side}`}
              patternUnits="userSpaceOnUse"
              width={step}
              height={step}
              patternTransform={`rotate(${side === "solid" ? 45 : -45})`}
            >
              <rect class={`hatch-${side}`} width={step / 2} height={step} />
            </pattern>
          ))}
          <Covered id={`${id}-a`} outlines={a} all={all} />
          <Covered id={`${id}-not-a`} outlines={a} all={all} inverse />
          <Covered id={`${id}-b`} outlines={b} all={all} />
          <Covered id={`${id}-not-b`} outlines={b} all={all} inverse />
        </defs>
        {sheet === PANORAMA_SHEET ? <Grid scale={scale} /> : <rect class="picture-border" {...all} />}
        <g mask={mask("a")}>
          <rect {...all} mask={mask("not-b")} fill={mask("hatch-solid")} />
        </g>
        <g mask={mask("b")}>
          <rect {...all} mask={mask("not-a")} fill={mask("hatch-dashed")} />
        </g>
        {[...a.hide, ...a.show].map((outline, i) => (
          <path key={i} class="side-solid" d={outline} />
        ))}
        {[...b.hide, ...b.show].map((outline, i) => (
          <path key={i} class="side-dashed" d={outline} />
        ))}
      </svg>
      <figcaption>
        {alike(solid.document, dashed.document) && (
          <p>{samePresets(solid.document, dashed.document) ? t.masks.compare.same : t.presets.onlyTrims}</p>
        )}
        <ul class="legend">
          <Key kind="line-solid" text={t.masks.compare.solid(solid.name)} />
          <Key kind="line-dashed" text={t.masks.compare.dashed(dashed.name)} />
          <Key kind="area-solid" text={t.masks.compare.only(solid.name)} />
          <Key kind="area-dashed" text={t.masks.compare.only(dashed.name)} />
        </ul>
      </figcaption>
    </figure>
  );
}

function alike(a: MaskDocument, b: MaskDocument): boolean {
  const hides = ({ zones }: MaskDocument) => JSON.stringify(zones.map(({ mode, shape }) => [mode, shape]));
  return hides(a) === hides(b);
}

function samePresets(a: MaskDocument, b: MaskDocument): boolean {
  return JSON.stringify(a.presets ?? []) === JSON.stringify(b.presets ?? []);
}

function Key({ kind, text }: { kind: string; text: string }) {
  return (
    <li>
      <span class={`key key-${kind}`} aria-hidden="true" /> {text}
    </li>
  );
}

interface Outlines {
  hide: string[];
  /** Outside all of these everything is hidden, where there are any. */
  show: string[];
  showOnly: boolean;
}

function outlinesOf(document: MaskDocument, sheet: Sheet): Outlines {
  const of = (mode: string) =>
    document.zones
      .filter((zone) => zone.mode === mode)
      .flatMap((zone) => sheet.outlines(zone.shape).map((outline) => path(outline)));
  return {
    hide: of("hide"),
    show: of("show-only"),
    showOnly: document.zones.some((zone) => zone.mode === "show-only"),
  };
}

interface CoveredProps {
  id: string;
  outlines: Outlines;
  all: { x: number; y: number; width: number; height: number };
  inverse?: boolean;
}

/** A mask: white where a document hides; with `inverse`, where it does not. */
function Covered({ id, outlines, all, inverse = false }: CoveredProps) {
  const [yes, no] = inverse ? ["black", "white"] : ["white", "black"];
  return (
    <mask id={id} maskUnits="userSpaceOnUse" {...all}>
      <rect {...all} fill={outlines.showOnly ? yes : no} />
      {outlines.show.map((outline, i) => (
        <path key={i} d={outline} fill={no} />
      ))}
      {outlines.hide.map((outline, i) => (
        <path key={i} d={outline} fill={yes} />
      ))}
    </mask>
  );
}

function sheetFor(...documents: MaskDocument[]): Sheet {
  const image = documents.some(({ zones }) => zones.some((zone) => zone.shape.type === "image"));
  const sphere = documents.some(({ zones }) => zones.some((zone) => zone.shape.type === "sphere"));
  return image && !sphere ? pictureChart(PICTURE.width, PICTURE.height) : PANORAMA_SHEET;
}
