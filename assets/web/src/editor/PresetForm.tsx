// One preset of the document: its name, its trims, and deleting it.

import { useState } from "preact/hooks";
import { LONGEST_TEXT, presetName, zoneName, type Preset } from "../masks/document";
import { MOST_TRIM_DEG, trimOf } from "../masks/presets";
import { useTexts } from "../text/language";
import { placeNow, type PresetsProps } from "./Presets";

interface Props extends PresetsProps {
  preset: Preset;
  stands: boolean;
}

export function PresetForm(props: Props) {
  const { preset, stands, dispatch, tool, setTool, between, compare } = props;
  const { t } = useTexts();
  const words = t.presets;
  const nameId = `preset-name-${preset.id}`;
  const place = placeNow(props.view);
  const trimming = stands && tool === "trim";
  return (
    <>
      <label for={nameId}>{words.name}</label>
      <input
        id={nameId}
        value={preset.name ?? ""}
        placeholder={preset.id}
        maxLength={LONGEST_TEXT}
        onInput={(event) => dispatch({ do: "preset-rename", preset: preset.id, name: event.currentTarget.value })}
        onBlur={() => dispatch({ do: "settle" })}
      />
      <p class="label">{words.trim.heading}</p>
      <p class="quiet-text small">{words.trim.means}</p>
      <div class="row">
        <button
          type="button"
          aria-pressed={trimming}
          aria-disabled={!stands}
          onClick={() => stands && setTool(trimming ? "zones" : "trim")}
        >
          {words.trim.toggle}
        </button>
        <button type="button" aria-disabled={!stands} onClick={() => stands && compare(preset)}>
          {words.compare.open}
        </button>
      </div>
      {!stands && <p class="quiet-text small">{words.trim.away}</p>}
      {stands && between && <p class="quiet-text small">{words.trim.settling}</p>}
      <Trims {...props} />
      <CopyTrims {...props} />
      <div class="row preset-end">
        <button
          type="button"
          aria-disabled={!place}
          title={words.moveHelp}
          onClick={() => place && dispatch({ do: "preset-move", preset: preset.id, place })}
        >
          {words.move}
        </button>
        <button
          type="button"
          class="danger"
          title={words.deleteHelp}
          onClick={() => dispatch({ do: "preset-delete", preset: preset.id })}
        >
          {words.delete}
        </button>
      </div>
    </>
  );
}

function Trims({ preset, editing, dispatch }: Props) {
  const { t } = useTexts();
  const words = t.presets.trim;
  // Only zones of directions turn along with the camera.
  const zones = editing.document.zones.filter(({ shape }) => shape.type === "sphere");
  const has = (zone: string) => preset.trims?.some((trim) => trim.zone === zone) ?? false;
  const others = zones.filter(({ id }) => !has(id));
  const trimmed = zones.filter(({ id }) => has(id));
  const addId = `trim-add-${preset.id}`;
  return (
    <>
      {trimmed.length === 0 ? (
        <p class="small">{words.none}</p>
      ) : (
        <table class="trims">
          <thead>
            <tr>
              <th scope="col">{words.zone}</th>
              <th scope="col">{words.pan}</th>
              <th scope="col">{words.tilt}</th>
              <th scope="col">
                <span class="unseen">{words.remove}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {trimmed.map((zone) => {
              const trim = trimOf(preset, zone.id);
              const put = (part: Partial<typeof trim>) =>
                dispatch({
                  do: "trim",
                  preset: preset.id,
                  trim: { ...trim, ...part },
                  gesture: `trim ${preset.id} ${zone.id} ${Object.keys(part).join()}`,
                });
              const settle = () => dispatch({ do: "settle" });
              const name = zoneName(zone);
              return (
                <tr key={zone.id} class={editing.zone === zone.id ? "trim-chosen" : undefined}>
                  <th scope="row">
                    <button
                      type="button"
                      class="quiet"
                      aria-pressed={editing.zone === zone.id}
                      onClick={() => dispatch({ do: "select", zone: zone.id })}
                    >
                      {name}
                    </button>
                  </th>
                  <td>
                    <Degrees
                      label={words.panOf(name)}
                      value={trim.pan_deg}
                      put={(pan_deg) => put({ pan_deg })}
                      settle={settle}
                    />
                  </td>
                  <td>
                    <Degrees
                      label={words.tiltOf(name)}
                      value={trim.tilt_deg}
                      put={(tilt_deg) => put({ tilt_deg })}
                      settle={settle}
                    />
                  </td>
                  <td>
                    <button
                      type="button"
                      class="quiet"
                      aria-label={words.removeOf(name)}
                      title={words.removeOf(name)}
                      onClick={() => dispatch({ do: "trim-delete", preset: preset.id, zone: zone.id })}
                    >
                      ×
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {trimmed.length > 0 && <p class="quiet-text small">{words.most}</p>}
      {others.length > 0 && (
        <>
          <label for={addId}>{words.add}</label>
          <select
            id={addId}
            value=""
            onChange={(event) => {
              const zone = event.currentTarget.value;
              if (zone) dispatch({ do: "trim", preset: preset.id, trim: { zone, pan_deg: 0, tilt_deg: 0 } });
              if (zone) dispatch({ do: "select", zone });
              event.currentTarget.value = "";
            }}
          >
            <option value="">{words.choose}</option>
            {others.map((zone) => (
              <option key={zone.id} value={zone.id}>
                {zoneName(zone)}
              </option>
            ))}
          </select>
        </>
      )}
    </>
  );
}

interface DegreesProps {
  label: string;
  value: number;
  put: (value: number) => void;
  settle: () => void;
}

/** What is being typed stays as it was typed until one leaves the field. */
function Degrees({ label, value, put, settle }: DegreesProps) {
  const [text, setText] = useState<string | null>(null);
  return (
    <input
      type="number"
      aria-label={label}
      step={0.01}
      min={-MOST_TRIM_DEG}
      max={MOST_TRIM_DEG}
      value={text ?? String(Math.round(value * 1000) / 1000)}
      onInput={(event) => {
        setText(event.currentTarget.value);
        const typed = event.currentTarget.valueAsNumber;
        if (Number.isFinite(typed)) put(typed);
      }}
      onBlur={() => {
        setText(null);
        settle();
      }}
    />
  );
}

function CopyTrims({ preset, editing, dispatch }: Props) {
  const { t } = useTexts();
  const words = t.presets.trim;
  const [from, setFrom] = useState("");
  const others = (editing.document.presets ?? []).filter(({ id, trims }) => id !== preset.id && trims?.length);
  if (others.length === 0) return null;
  const chosen = others.some(({ id }) => id === from);
  const id = `trim-copy-${preset.id}`;
  return (
    <>
      <label for={id}>{words.copy}</label>
      <div class="row trim-copy">
        <select id={id} value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
          <option value="">{words.chooseFrom}</option>
          {others.map((other) => (
            <option key={other.id} value={other.id}>
              {presetName(other)}
            </option>
          ))}
        </select>
        <button
          type="button"
          aria-disabled={!chosen}
          onClick={() => chosen && dispatch({ do: "trims-copy", from, to: preset.id })}
        >
          {words.copyNow}
        </button>
      </div>
    </>
  );
}
