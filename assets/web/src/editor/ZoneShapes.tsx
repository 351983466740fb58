// Zones as outlines with a thin filling and their names, on a picture or on the panorama.

import type { Pixel } from "../geometry/types";
import type { Sheet } from "../masks/chart";
import { zoneName, type Zone } from "../masks/document";
import { useTexts } from "../text/language";

interface Props {
  zones: readonly Zone[];
  sheet: Sheet;
  selected: string | null;
  /** Pixels of the sheet in one of the screen. */
  scale: number;
  /** The outlines may not be where they are drawn. */
  doubtful?: boolean;
  /** For zones that can be chosen by keyboard here. */
  choose?: (zone: string) => void;
  /** Only names that have room, besides that of the selected zone. */
  fewNames?: boolean;
  /** Where a zone lies when that is not simply where it was drawn: see `Trimmed`. */
  placesOf?: (zone: string) => { hidden: readonly Sheet[]; left: Sheet | null };
}

export function ZoneShapes(props: Props) {
  const { zones, sheet, selected, scale, doubtful = false, choose, fewNames = false, placesOf } = props;
  const { t } = useTexts();
  const outlinesOf = (zone: Zone) => {
    const { hidden, left } = placesOf?.(zone.id) ?? { hidden: [sheet], left: null };
    return { hidden: hidden.flatMap((place) => place.outlines(zone.shape)), left: left?.outlines(zone.shape) ?? [] };
  };
  // The selected one lies on top.
  const order = [...zones].sort((a, b) => Number(a.id === selected) - Number(b.id === selected));
  return (
    <>
      {order.map((zone) => {
        const { hidden: outlines, left } = outlinesOf(zone);
        if (outlines.length + left.length === 0) return null;
        const classes = [
          "zone",
          `zone-${zone.mode}`,
          zone.id === selected && "zone-selected",
          doubtful && "zone-doubtful",
        ];
        return (
          <g key={zone.id} class={classes.filter(Boolean).join(" ")} data-zone={zone.id} {...button(zone, choose)}>
            {left.map((outline, i) => (
              <path key={`left ${i}`} class="zone-left" d={path(outline)} />
            ))}
            {outlines.map((outline, i) => (
              <g key={i}>
                <path class="zone-casing" d={path(outline)} />
                <path class="zone-line" d={path(outline)} />
              </g>
            ))}
          </g>
        );
      })}
      {/* Above all outlines, and no part of what can be chosen: a cut name is nobody's label. */}
      {order.flatMap((zone) => {
        const least = fewNames && zone.id !== selected ? SHORTEST_NAME : 0;
        const suffix = zone.mode === "show-only" ? ` · ${t.masks.zones.showOnly}` : "";
        // A trimmed zone has one name, where it leads.
        const { hidden } = placesOf?.(zone.id) ?? { hidden: [sheet] };
        return (hidden[0] ?? sheet)
          .outlines(zone.shape)
          .map((outline, i) => (
            <Label key={`${zone.id} ${i}`} {...{ outline, sheet, scale, least }} text={zoneName(zone) + suffix} />
          ));
      })}
    </>
  );
}

function button(zone: Zone, choose: Props["choose"]) {
  if (!choose) return {};
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(zone.id);
  };
  return {
    role: "button" as const,
    tabindex: 0,
    "aria-label": zoneName(zone),
    onClick: () => choose(zone.id),
    onKeyDown: pressed,
  };
}

const NAME_PX = 14;
/** Of the font's size. */
const LETTER = 0.58;
const [SHORTEST_NAME, LONGEST_NAME] = [10, 28];

interface LabelProps {
  outline: Pixel[];
  sheet: Sheet;
  scale: number;
  text: string;
  /** Letters for which there must be room. */
  least: number;
}

/** In the middle of what can be seen of the zone. */
function Label({ outline, sheet, scale, text, least }: LabelProps) {
  const [us, vs] = [outline.map(({ u }) => u), outline.map(({ v }) => v)];
  const [left, right] = [Math.max(0, Math.min(...us)), Math.min(sheet.width, Math.max(...us))];
  const [top, bottom] = [Math.max(0, Math.min(...vs)), Math.min(sheet.height, Math.max(...vs))];
  if (right - left < 4 * scale || bottom - top < 4 * scale) return null;
  const letter = LETTER * NAME_PX * scale;
  if ((right - left) / letter < least) return null;
  const room = Math.min(LONGEST_NAME, Math.max(SHORTEST_NAME, Math.floor((right - left) / letter)));
  const short = text.length > room ? `${text.slice(0, room - 1).trimEnd()}…` : text;
  const half = 0.5 * letter * short.length;
  const u = Math.max(half, Math.min(sheet.width - half, (left + right) / 2));
  const style = { fontSize: `${NAME_PX * scale}px`, strokeWidth: `${4 * scale}px` };
  return (
    <text class="zone-name" aria-hidden="true" x={u} y={(top + bottom) / 2 + 0.35 * NAME_PX * scale} style={style}>
      {short}
    </text>
  );
}

export function path(outline: readonly Pixel[], closed = true): string {
  const steps = outline.map(({ u, v }, i) => `${i === 0 ? "M" : "L"}${u.toFixed(1)} ${v.toFixed(1)}`);
  return steps.join("") + (closed ? "Z" : "");
}
