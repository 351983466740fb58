// The presets of a document and their trims, step by step.

import { nearestTurn } from "../geometry/vector";
import { LONGEST_TEXT, sixDecimals, type MaskDocument, type Preset, type Trim } from "./document";

/** A trim is at most this in pan and in tilt: what format 1 allows. */
export const MOST_TRIM_DEG = 5;
const LONGEST_ID = 64;

export type Place = Pick<Preset, "pan_deg" | "tilt_deg" | "zoom">;

export type PresetEdit =
  | { do: "preset-add"; name: string; place: Place }
  /** To where the camera stands; its trims come along. */
  | { do: "preset-move"; preset: string; place: Place }
  | { do: "preset-rename"; preset: string; name: string }
  | { do: "preset-delete"; preset: string }
  | { do: "trim"; preset: string; trim: Trim; gesture?: string }
  | { do: "trim-delete"; preset: string; zone: string }
  /** Onto those that are there already, beside those of other zones. */
  | { do: "trims-copy"; from: string; to: string };

interface Changed {
  document: MaskDocument;
  gesture: string | null;
}

export function changePresets(document: MaskDocument, action: PresetEdit): Changed {
  switch (action.do) {
    case "preset-add":
      return { document: withNew(document, action.name, action.place), gesture: null };
    case "preset-move": {
      const put = (preset: Preset) => ({ ...preset, ...placed(action.place) });
      return { document: withPreset(document, action.preset, put), gesture: null };
    }
    case "preset-rename": {
      const name = action.name.slice(0, LONGEST_TEXT);
      const put = ({ name: _, ...preset }: Preset): Preset => (name.trim() === "" ? preset : { ...preset, name });
      return { document: withPreset(document, action.preset, put), gesture: `preset ${action.preset}` };
    }
    case "preset-delete":
      return { document: withPresets(document, others(document, action.preset)), gesture: null };
    case "trim": {
      const trim = kept(action.trim);
      if (!trim || !document.zones.some(({ id }) => id === trim.zone)) return { document, gesture: null };
      const put = (preset: Preset) => ({ ...preset, trims: withTrim(preset.trims ?? [], trim) });
      return { document: withPreset(document, action.preset, put), gesture: action.gesture ?? null };
    }
    case "trim-delete": {
      const put = (preset: Preset): Preset =>
        withTrims(
          preset,
          (preset.trims ?? []).filter(({ zone }) => zone !== action.zone),
        );
      return { document: withPreset(document, action.preset, put), gesture: null };
    }
    case "trims-copy": {
      const trims = presetOf(document, action.from)?.trims ?? [];
      if (trims.length === 0) return { document, gesture: null };
      const put = (preset: Preset) => ({ ...preset, trims: trims.reduce(withTrim, preset.trims ?? []) });
      return { document: withPreset(document, action.to, put), gesture: null };
    }
  }
}

export function presetOf(document: MaskDocument, id: string): Preset | null {
  return document.presets?.find((preset) => preset.id === id) ?? null;
}

export function trimOf(preset: Preset, zone: string): Trim {
  return preset.trims?.find((trim) => trim.zone === zone) ?? { zone, pan_deg: 0, tilt_deg: 0 };
}

/** A free id for what is called `name`: letters, digits, `.`, `_` and `-`. */
export function idFrom(document: MaskDocument, name: string): string {
  const plain = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const slug = plain.replace(/[^a-z0-9._]+/g, "-").replace(/^-+|-+$/g, "");
  const base = slug.slice(0, LONGEST_ID - 5) || "preset";
  const taken = new Set((document.presets ?? []).map(({ id }) => id));
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(id)) return id;
  }
}

function withNew(document: MaskDocument, name: string, place: Place): MaskDocument {
  const called = name.trim().slice(0, LONGEST_TEXT);
  const named = called === "" ? {} : { name: called };
  const preset: Preset = { id: idFrom(document, called), ...named, ...placed(place) };
  return { ...document, presets: [...(document.presets ?? []), preset] };
}

/** The camera may count its turns; a preset is a place. */
function placed({ pan_deg, tilt_deg, zoom }: Place): Place {
  const once = Math.abs(pan_deg) <= 180 ? pan_deg : nearestTurn(pan_deg, 0);
  return { pan_deg: rounded(once), tilt_deg: rounded(tilt_deg), zoom: sixDecimals(zoom) };
}

function withPreset(document: MaskDocument, id: string, put: (preset: Preset) => Preset): MaskDocument {
  if (!presetOf(document, id)) return document;
  return withPresets(
    document,
    (document.presets ?? []).map((preset) => (preset.id === id ? put(preset) : preset)),
  );
}

function others(document: MaskDocument, id: string): Preset[] {
  return (document.presets ?? []).filter((preset) => preset.id !== id);
}

/** A document without presets has no list of them. */
function withPresets(document: MaskDocument, presets: Preset[]): MaskDocument {
  const { presets: _, ...rest } = document;
  return presets.length === 0 ? rest : { ...rest, presets };
}

function withTrims(preset: Preset, trims: Trim[]): Preset {
  const { trims: _, ...rest } = preset;
  return trims.length === 0 ? rest : { ...rest, trims };
}

function withTrim(trims: readonly Trim[], trim: Trim): Trim[] {
  const there = trims.some(({ zone }) => zone === trim.zone);
  return there ? trims.map((old) => (old.zone === trim.zone ? trim : old)) : [...trims, trim];
}

/** As it is written down; none for what is no number. */
function kept({ zone, pan_deg, tilt_deg }: Trim): Trim | null {
  if (!Number.isFinite(pan_deg) || !Number.isFinite(tilt_deg)) return null;
  const within = (value: number) => rounded(Math.max(-MOST_TRIM_DEG, Math.min(MOST_TRIM_DEG, value)));
  return { zone, pan_deg: within(pan_deg), tilt_deg: within(tilt_deg) };
}

/** Ten thousandths of a degree are less than a pixel at any zoom. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0;
}
