// One zone's name, what it does, and its points.

import { useEffect, useRef } from "preact/hooks";
import { FEWEST_POINTS, isSphere, LONGEST_TEXT, type Mode, type Point, type Zone } from "../masks/document";
import type { Edit, Editing } from "../masks/editing";
import { halfway } from "../masks/points";
import type { Dictionary } from "../text/en";
import { degrees, type Language } from "../text/format";
import { useTexts } from "../text/language";

interface Props {
  zone: Zone;
  editing: Editing;
  dispatch: (edit: Edit) => void;
}

export function ZoneForm({ zone, editing, dispatch }: Props) {
  const { t } = useTexts();
  const words = t.masks.zones;
  const [nameId, modeId] = [`name-${zone.id}`, `mode-${zone.id}`];
  return (
    <div class="zone-form">
      <label for={nameId}>{words.name}</label>
      <input
        id={nameId}
        value={zone.name ?? ""}
        placeholder={zone.id}
        maxLength={LONGEST_TEXT}
        onInput={(event) => dispatch({ do: "rename", zone: zone.id, name: event.currentTarget.value })}
        onBlur={() => dispatch({ do: "settle" })}
      />
      <label for={modeId}>{words.mode}</label>
      <select
        id={modeId}
        value={zone.mode}
        onChange={(event) => dispatch({ do: "mode", zone: zone.id, mode: event.currentTarget.value as Mode })}
      >
        <option value="hide">{words.hide}</option>
        <option value="show-only">{words.showOnly}</option>
      </select>
      <p class="quiet-text small">{zone.mode === "hide" ? words.hideMeans : words.showOnlyMeans}</p>
      <Points zone={zone} chosen={editing.point} dispatch={dispatch} />
      <button type="button" class="danger" onClick={() => dispatch({ do: "delete-zone" })}>
        {words.deleteZone}
      </button>
    </div>
  );
}

function Points({ zone, chosen, dispatch }: { zone: Zone; chosen: number | null; dispatch: (edit: Edit) => void }) {
  const { t, language } = useTexts();
  const words = t.masks.zones;
  const list = useRef<HTMLDivElement>(null);
  const { points } = zone.shape;
  const point = chosen === null ? undefined : points[chosen];
  const few = points.length <= FEWEST_POINTS;

  // Whoever walks through the points with keys stays on the chosen one.
  useEffect(() => {
    const within = list.current?.contains(document.activeElement);
    if (within && chosen !== null) (list.current?.children[chosen] as HTMLElement | undefined)?.focus();
  }, [chosen]);

  const insert = () => {
    const [a, b] = [point, points[((chosen ?? 0) + 1) % points.length]];
    if (a && b && chosen !== null) dispatch({ do: "insert-point", zone: zone.id, after: chosen, point: halfway(a, b) });
  };
  return (
    <>
      <p class="label" id={`points-${zone.id}`}>
        {words.points}
      </p>
      <div class="points" role="group" aria-labelledby={`points-${zone.id}`} data-editing ref={list}>
        {points.map((place, i) => (
          <button
            key={i}
            type="button"
            aria-pressed={i === chosen}
            aria-label={words.pointOf(String(i + 1), where(place, t, language))}
            onClick={() => dispatch({ do: "select", zone: zone.id, point: i })}
          >
            {i + 1}
          </button>
        ))}
      </div>
      {point && (
        <>
          <p class="small">
            {where(point, t, language)}
            <br />
            <span class="quiet-text">{words.moveHelp}</span>
          </p>
          <div class="row">
            <button type="button" onClick={insert}>
              {words.insert}
            </button>
            <button type="button" aria-disabled={few} onClick={() => !few && dispatch({ do: "delete-point" })}>
              {words.deletePoint}
            </button>
          </div>
          {few && <p class="quiet-text small">{words.fewest}</p>}
        </>
      )}
    </>
  );
}

function where(point: Point, t: Dictionary, language: Language): string {
  const n = (value: number, digits: number) => degrees(value, language, digits);
  if (isSphere(point)) return t.masks.zones.sphereAt(n(point.pan_deg, 2), n(point.tilt_deg, 2));
  return t.masks.zones.pictureAt(n(100 * point.x, 1), n(100 * point.y, 1));
}
