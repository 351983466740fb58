import { expect, test } from "vitest";
import type { OwnPreset } from "../api/model";
import type { MaskDocument, Preset } from "./document";
import { begin, edit, type Edit } from "./editing";
import { placesOf, standingOn } from "./places";
import { idFrom, presetOf, trimOf } from "./presets";
import { street } from "./sample";

const PLACE = { pan_deg: 30, tilt_deg: -5, zoom: 0.2 };
const NO_ZOOM = 4.3e-19;
const after = (...edits: Edit[]) => edits.reduce(edit, begin(street()));
const crossing = (document: MaskDocument) => presetOf(document, "crossing") as Preset;
const trim = (pan_deg: number, gesture?: string): Edit => ({
  do: "trim",
  preset: "crossing",
  trim: { zone: "house", pan_deg, tilt_deg: 0 },
  ...(gesture === undefined ? {} : { gesture }),
});

test.each<[string, Edit]>([
  ["adding one", { do: "preset-add", name: "Square", place: PLACE }],
  ["moving one", { do: "preset-move", preset: "crossing", place: PLACE }],
  ["renaming one", { do: "preset-rename", preset: "crossing", name: "The crossing" }],
  ["deleting one", { do: "preset-delete", preset: "crossing" }],
  ["a trim", trim(1)],
  ["a trim less", { do: "trim-delete", preset: "crossing", zone: "house" }],
])("%s is one step to undo, and to do again", (_, action) => {
  const state = after(action);
  expect(state.document).not.toEqual(street());
  const undone = edit(state, { do: "undo" });
  expect(undone.document).toEqual(street());
  expect(edit(undone, { do: "redo" }).document).toEqual(state.document);
});

test.each<[string, Edit]>([
  ["a preset that is not there", { do: "preset-rename", preset: "gone", name: "x" }],
  [
    "a trim of a zone that is not there",
    { do: "trim", preset: "crossing", trim: { zone: "gone", pan_deg: 1, tilt_deg: 0 } },
  ],
  ["a trim that is no number", trim(Number.NaN)],
  ["a copy of no trims", { do: "trims-copy", from: "gone", to: "crossing" }],
])("%s changes nothing", (_, action) => {
  const state = begin(street());
  expect(edit(state, action)).toBe(state);
});

test("a new preset has a free id of its name and no list of trims", () => {
  const state = after(
    { do: "preset-add", name: "Crossing", place: { ...PLACE, pan_deg: 390.123456 } },
    { do: "preset-add", name: "  ", place: { ...PLACE, zoom: NO_ZOOM } },
  );
  expect(state.document.presets?.slice(1)).toEqual([
    { id: "crossing-2", name: "Crossing", ...PLACE, pan_deg: 30.1235 },
    { id: "preset", ...PLACE, zoom: 0 },
  ]);
});

test.each([
  ["Markt / Kérkstraat", "markt-kerkstraat"],
  ["…", "preset"],
  ["x".repeat(200), "x".repeat(59)],
])("%s is called %s", (name, id) => {
  expect(idFrom(street(), name)).toBe(id);
});

test("one drag is one step; a trim keeps within five degrees", () => {
  const state = after(trim(1, "drag 1"), trim(2, "drag 1"), trim(7, "drag 1"));
  expect(trimOf(crossing(state.document), "house")).toEqual({ zone: "house", pan_deg: 5, tilt_deg: 0 });
  expect(edit(state, { do: "undo" }).document).toEqual(street());
});

test("trims are copied onto those of the same zones, beside the others", () => {
  const state = after(
    { do: "preset-add", name: "b", place: PLACE },
    { do: "trim", preset: "b", trim: { zone: "house", pan_deg: 1, tilt_deg: 1 } },
    { do: "trims-copy", from: "b", to: "crossing" },
  );
  expect(crossing(state.document).trims).toEqual([
    { zone: "house", pan_deg: 1, tilt_deg: 1 },
    { zone: "garden", pan_deg: 0.1, tilt_deg: 0 },
  ]);
});

test("with the last preset goes the list, with the last trim its list", () => {
  expect(after({ do: "preset-delete", preset: "crossing" }).document).not.toHaveProperty("presets");
  const bare = after(
    { do: "trim-delete", preset: "crossing", zone: "house" },
    { do: "trim-delete", preset: "crossing", zone: "garden" },
  );
  expect(crossing(bare.document)).not.toHaveProperty("trims");
});

test("a preset that is moved keeps its name and its trims", () => {
  const moved = crossing(after({ do: "preset-move", preset: "crossing", place: PLACE }).document);
  expect(moved).toEqual({ ...crossing(street()), ...PLACE });
});

test("presets stay when zones are drawn, renamed and deleted", () => {
  const state = after(
    { do: "select", zone: "house" },
    { do: "rename", zone: "house", name: "x" },
    { do: "delete-zone" },
  );
  expect(crossing(state.document)).toEqual({
    ...crossing(street()),
    trims: [{ zone: "garden", pan_deg: 0.1, tilt_deg: 0 }],
  });
});

const own = (token: string, name: string, pan_deg: number | null): OwnPreset => {
  return { token, name, pan_deg, tilt_deg: pan_deg === null ? null : -4, zoom: null };
};

test.each<[string, OwnPreset[], [string, string | null, boolean][]]>([
  ["by place", [own("1", "Zebra", 349.9)], [["crossing", "1", false]]],
  ["by name", [own("1", " Crossing", null)], [["crossing", "1", false]]],
  ["by name, though it stands elsewhere", [own("1", "crossing", 20)], [["crossing", "1", true]]],
  [
    "by place before name",
    [own("1", "crossing", 20), own("2", "b", -10)],
    [
      ["crossing", "2", false],
      ["crossing", "1", false],
    ],
  ],
  [
    "others follow",
    [own("7", "", null)],
    [
      ["crossing", null, false],
      ["7", "7", false],
    ],
  ],
])("the camera's own presets are joined %s", (_, list, rows) => {
  const found = placesOf(street().presets ?? [], list);
  expect(found.map(({ name, own, apart }) => [name, own?.token ?? null, apart])).toEqual(rows);
});

test("the camera stands on the nearest preset within a quarter of a degree", () => {
  const presets = [0, 0.2, 5].map((pan_deg) => ({ pan_deg, tilt_deg: 0 }));
  expect(standingOn(presets, { pan_deg: 0.15, tilt_deg: 0 })).toBe(presets[1]);
  expect(standingOn(presets, { pan_deg: 360, tilt_deg: 0.25 })).toBe(presets[0]);
  expect(standingOn(presets, { pan_deg: 1, tilt_deg: 0 })).toBeNull();
});
