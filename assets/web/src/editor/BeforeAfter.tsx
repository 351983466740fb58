// One picture twice: with the trims of the version that is edited, and with the draft's.

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { TurningView } from "../geometry/types";
import { chartOf } from "../masks/chart";
import { presetName, type MaskDocument, type Preset } from "../masks/document";
import { trimmed } from "../masks/trimmed";
import { useTexts } from "../text/language";
import { Dialog } from "./Dialog";
import { useScale } from "./Stage";
import { ZoneShapes } from "./ZoneShapes";

export interface Moment {
  preset: Preset;
  view: TurningView;
  /** The picture of that moment; none where there was none. */
  picture: HTMLCanvasElement | null;
}

/** The picture that `video` shows now. */
export function grab(video: HTMLVideoElement | null | undefined): HTMLCanvasElement | null {
  if (!video?.srcObject || video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return canvas;
}

interface Props {
  moment: Moment;
  version: number;
  before: MaskDocument;
  after: MaskDocument;
  selected: string | null;
  close: () => void;
}

export function BeforeAfter({ moment, version, before, after, selected, close }: Props) {
  const { t } = useTexts();
  const words = t.presets.compare;
  const { preset, picture } = moment;
  return (
    <Dialog heading={words.heading(presetName(preset))} close={close} wide>
      <div class="before-after">
        <Side moment={moment} selected={selected} document={before} name={words.before(String(version))} />
        <Side moment={moment} selected={selected} document={after} name={words.after} />
      </div>
      <ul class="legend">
        <li>
          <span class="key" aria-hidden="true" /> {words.solid}
        </li>
        <li>
          <span class="key key-left" aria-hidden="true" /> {words.dashed}
        </li>
      </ul>
      <p class="quiet-text small">{picture ? words.picture : words.noPicture}</p>
      <button type="button" class="primary" onClick={close}>
        {words.close}
      </button>
    </Dialog>
  );
}

interface SideProps {
  moment: Moment;
  document: MaskDocument;
  selected: string | null;
  name: string;
}

function Side({ moment, document, selected, name }: SideProps) {
  const { t } = useTexts();
  const { view, picture } = moment;
  const [width, height] = view.size;
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const scale = useScale(drawing, width);
  const chart = useMemo(() => chartOf(view), [view]);
  const places = useMemo(() => trimmed(view, chart, document.presets), [view, chart, document]);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (picture) context?.drawImage(picture, 0, 0, width, height);
  }, [picture, width, height]);
  return (
    <figure>
      <figcaption>{name}</figcaption>
      <div class="side-picture" style={{ aspectRatio: `${width} / ${height}` }}>
        <canvas ref={canvas} width={width} height={height} aria-hidden="true" />
        <svg ref={drawing} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t.presets.compare.label(name)}>
          <ZoneShapes {...{ selected, scale }} zones={document.zones} sheet={chart} placesOf={places.of} fewNames />
        </svg>
      </div>
    </figure>
  );
}
