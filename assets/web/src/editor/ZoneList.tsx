// All zones with their names, and everything that can be done with them, without a mouse too.

import { useEffect, useRef } from "preact/hooks";
import type { Chart } from "../masks/chart";
import { crossesItself } from "../masks/crossing";
import { zoneName, type Zone } from "../masks/document";
import type { Edit, Editing } from "../masks/editing";
import type { PlacedMistake } from "../masks/saving";
import { useTexts } from "../text/language";
import { ZoneForm } from "./ZoneForm";

interface Props {
  editing: Editing;
  dispatch: (edit: Edit) => void;
  chart: Chart | null;
  mistakes: readonly PlacedMistake[];
}

export function ZoneList({ editing, dispatch, chart, mistakes }: Props) {
  const { t } = useTexts();
  const { zones } = editing.document;
  return (
    <aside class="zones" aria-labelledby="zones-heading">
      <h2 id="zones-heading">
        {t.masks.zones.heading} ({zones.length})
      </h2>
      {zones.length === 0 && <p class="quiet-text">{t.masks.zones.none}</p>}
      <ul>
        {zones.map((zone) => (
          <Item
            key={zone.id}
            zone={zone}
            editing={editing}
            dispatch={dispatch}
            inSight={!chart || chart.outlines(zone.shape).some((outline) => meets(outline, chart))}
            mistakes={mistakes.filter((mistake) => mistake.zone === zone.id)}
          />
        ))}
      </ul>
    </aside>
  );
}

interface ItemProps {
  zone: Zone;
  editing: Editing;
  dispatch: (edit: Edit) => void;
  inSight: boolean;
  mistakes: readonly PlacedMistake[];
}

function Item({ zone, editing, dispatch, inSight, mistakes }: ItemProps) {
  const { t } = useTexts();
  const item = useRef<HTMLLIElement>(null);
  const open = editing.zone === zone.id;
  const crosses = crossesItself(zone.shape);
  // One that is chosen in the picture comes into sight in the list; the page itself stays where it is.
  useEffect(() => {
    const box = item.current?.closest(".zones");
    if (!open || !item.current || !box) return;
    const [here, around] = [item.current.getBoundingClientRect(), box.getBoundingClientRect()];
    if (here.bottom > around.bottom) box.scrollTop += here.bottom - around.bottom;
    if (here.top < around.top) box.scrollTop -= around.top - here.top;
  }, [open, open && editing.point !== null]);
  return (
    <li ref={item} class={open ? "zone-item zone-item-open" : "zone-item"}>
      <button
        type="button"
        class="zone-choose"
        aria-expanded={open}
        onClick={() => dispatch({ do: "select", zone: open ? null : zone.id })}
      >
        <span class={`mode-mark mode-mark-${zone.mode}`} aria-hidden="true" />
        <span class="zone-choose-name">{zoneName(zone)}</span>
        {zone.mode === "show-only" && <span class="tag">{t.masks.zones.showOnly}</span>}
        {!inSight && <span class="zone-away">{t.masks.zones.outOfSight}</span>}
      </button>
      {(crosses || mistakes.length > 0) && (
        <ul class="mistakes">
          {crosses && <li>{t.masks.zones.crosses}</li>}
          {mistakes.map((mistake) => (
            <li key={mistake.path + mistake.what} lang="en">
              {mistake.what} {mistake.remedy}
            </li>
          ))}
        </ul>
      )}
      {open && <ZoneForm zone={zone} editing={editing} dispatch={dispatch} />}
    </li>
  );
}

/** Whether the box around an outline meets the picture. */
function meets(outline: { u: number; v: number }[], { width, height }: Chart): boolean {
  const [us, vs] = [outline.map(({ u }) => u), outline.map(({ v }) => v)];
  return Math.max(...us) > 0 && Math.min(...us) < width && Math.max(...vs) > 0 && Math.min(...vs) < height;
}
