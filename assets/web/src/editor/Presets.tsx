// The camera's presets and the document's as one list, with what can be done with each.

import { useState } from "preact/hooks";
import type { TurningView } from "../geometry/types";
import type { Preset } from "../masks/document";
import type { Edit, Editing } from "../masks/editing";
import { placesOf, positionOf, type PlaceRow } from "../masks/places";
import type { Place } from "../masks/presets";
import { degrees, number } from "../text/format";
import { useTexts } from "../text/language";
import type { Steering } from "../steering/useSteering";
import { PresetForm } from "./PresetForm";
import type { OwnPresets } from "./useOwnPresets";
import type { Tool } from "./useTools";

export interface PresetsProps {
  editing: Editing;
  dispatch: (edit: Edit) => void;
  /** None where it is not known where the camera looks now. */
  view: TurningView | null;
  /** The preset of the document that the camera stands on. */
  here: Preset | null;
  /** Not quite: zones are hidden at two places. */
  between: boolean;
  own: OwnPresets;
  steering: Steering | null;
  tool: Tool;
  setTool: (tool: Tool) => void;
  compare: (preset: Preset) => void;
}

export function Presets(props: PresetsProps) {
  const { editing, dispatch, view, here, own } = props;
  const { t } = useTexts();
  const words = t.presets;
  const [open, setOpen] = useState<string | null>(null);
  const rows = placesOf(editing.document.presets ?? [], own.list);
  return (
    <section class="zones presets" aria-labelledby="presets-heading">
      <h2 id="presets-heading">
        {words.heading} ({rows.length})
      </h2>
      <NewPreset {...{ dispatch, view }} />
      {own.failed && (
        <p class="problem small">
          {words.ownFailed}{" "}
          <button type="button" onClick={own.reload}>
            {words.reload}
          </button>
        </p>
      )}
      {rows.length === 0 && <p class="quiet-text">{words.none}</p>}
      <ul>
        {rows.map((row) => (
          <Row
            key={row.key}
            row={row}
            open={open === row.key}
            toggle={() => setOpen((old) => (old === row.key ? null : row.key))}
            stands={row.preset !== null && row.preset.id === here?.id}
            {...props}
          />
        ))}
      </ul>
    </section>
  );
}

/** None where the camera's position is not known, or not how far it zooms. */
export function placeNow(view: TurningView | null): Place | null {
  const zoom = view?.zoom ?? null;
  return view && zoom !== null ? { pan_deg: view.pan_deg, tilt_deg: view.tilt_deg, zoom } : null;
}

function NewPreset({ dispatch, view }: Pick<PresetsProps, "dispatch" | "view">) {
  const { t } = useTexts();
  const words = t.presets;
  const [name, setName] = useState("");
  const place = placeNow(view);
  const add = (event: Event) => {
    event.preventDefault();
    if (!place) return;
    dispatch({ do: "preset-add", name, place });
    setName("");
  };
  return (
    <form class="preset-new" onSubmit={add}>
      <input
        aria-label={words.newName}
        placeholder={words.name}
        maxLength={200}
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" aria-disabled={!place} title={words.useHelp}>
        {words.use}
      </button>
      {!place && <p class="quiet-text small">{words.unknownPlace}</p>}
    </form>
  );
}

interface RowProps extends PresetsProps {
  row: PlaceRow;
  open: boolean;
  toggle: () => void;
  stands: boolean;
}

function Row(props: RowProps) {
  const { row, open, toggle, stands, steering, dispatch } = props;
  const { t, language } = useTexts();
  const words = t.presets;
  const { preset, own } = row;
  const place = preset ?? (own && positionOf(own));
  const zoom = preset?.zoom ?? own?.zoom ?? null;
  const trims = preset?.trims?.length ?? 0;
  const where = (at: { pan_deg: number; tilt_deg: number }) =>
    words.place(degrees(at.pan_deg, language, 1), degrees(at.tilt_deg, language, 1));
  const about = [
    place ? where(place) : words.ownUnknown,
    zoom === null ? null : words.zoom(number(zoom, language, 2)),
    trims > 0 ? words.trims(String(trims)) : null,
    own ? words.own : null,
  ];
  const go = () => {
    // Those who watch recall the camera's own: where it stands is where trims must fit.
    if (own && !row.apart) steering?.send({ kind: "preset", token: own.token });
    else if (preset)
      steering?.send({ kind: "go", pan_deg: preset.pan_deg, tilt_deg: preset.tilt_deg, zoom: preset.zoom });
  };
  return (
    <li class={open ? "zone-item zone-item-open" : "zone-item"}>
      <div class="preset-row">
        <button type="button" class="zone-choose" aria-expanded={open} onClick={toggle}>
          <span class="zone-choose-name">{row.name}</span>
          {stands && <span class="tag tag-here">{words.here}</span>}
          <span class="zone-away">{about.filter((text) => text !== null).join(" · ")}</span>
        </button>
        {steering && (
          <button type="button" class="preset-go" aria-label={words.goOf(row.name)} onClick={go}>
            {words.go}
          </button>
        )}
      </div>
      {open && (
        <div class="zone-form">
          {row.apart && own && (
            <p class="warning small">
              {words.apart} {where(positionOf(own) ?? { pan_deg: 0, tilt_deg: 0 })}{" "}
              {steering && (
                <button type="button" onClick={() => steering.send({ kind: "preset", token: own.token })}>
                  {words.goOwn}
                </button>
              )}
            </p>
          )}
          {preset && <PresetForm {...props} preset={preset} />}
          {!preset && place && zoom !== null && (
            <button
              type="button"
              onClick={() => dispatch({ do: "preset-add", name: row.name, place: { ...place, zoom } })}
            >
              {words.keep}
            </button>
          )}
        </div>
      )}
    </li>
  );
}
