import { expect, test } from "vitest";
import { seeded } from "../geometry/seeded";
import type { Point } from "./document";
import { begin, edit, type Edit, type Editing } from "./editing";
import { street } from "./sample";

const at = (pan_deg: number, tilt_deg: number): Point => ({ pan_deg, tilt_deg });
const after = (...edits: Edit[]): Editing => edits.reduce(edit, begin(street()));
const points = (state: Editing, zone: string) => state.document.zones.find(({ id }) => id === zone)?.shape.points;
const drawn = (...corners: Point[]): Edit[] => [
  { do: "draw", type: "sphere" },
  ...corners.map((point): Edit => ({ do: "draw-point", point })),
];
const TRIANGLE = [at(0, 0), at(5, 0), at(5, 5)];

test("a polygon is added, chosen, and undone as one step", () => {
  const closed = after(...drawn(...TRIANGLE), { do: "draw-close" });
  expect(closed.document.zones[2]).toEqual({ id: "zone-1", mode: "hide", shape: { type: "sphere", points: TRIANGLE } });
  expect(closed).toMatchObject({ zone: "zone-1", drawing: null });
  expect(edit(closed, { do: "undo" }).document).toEqual(street());
});

test.each<[string, Edit[], number | null]>([
  ["two corners do not close", [...drawn(at(0, 0), at(1, 1)), { do: "draw-close" }], 2],
  ["back takes the last corner", [...drawn(...TRIANGLE), { do: "draw-back" }], 2],
  ["undo takes the last corner", [...drawn(...TRIANGLE), { do: "undo" }], 2],
  ["undo without a corner ends drawing", [...drawn(), { do: "undo" }], null],
  ["cancel ends drawing", [...drawn(...TRIANGLE), { do: "draw-cancel" }], null],
])("while drawing, %s and the document stays", (_, edits, corners) => {
  const state = after(...edits);
  expect(state.drawing?.points.length ?? null).toBe(corners);
  expect(state.document).toEqual(street());
});

test("moves with one gesture are one step, with another they are two", () => {
  const move = (pan: number, gesture: string): Edit => ({ do: "move-point", point: at(pan, 1), gesture });
  const moved = after({ do: "select", zone: "house", point: 1 }, move(-14, "a"), move(-13, "a"), move(-12, "b"));
  expect(points(moved, "house")?.[1]).toEqual(at(-12, 1));
  const once = edit(moved, { do: "undo" });
  expect(points(once, "house")?.[1]).toEqual(at(-13, 1));
  expect(edit(once, { do: "undo" }).document).toEqual(street());
  expect(edit(edit(once, { do: "redo" }), { do: "redo" }).document).toEqual(moved.document);
});

test("a point is inserted after another and chosen; a drag that follows belongs to it", () => {
  const insert: Edit = { do: "insert-point", zone: "house", after: 3, point: at(-26, 0), gesture: "drag" };
  const state = after({ do: "select", zone: "house" }, insert, {
    do: "move-point",
    point: at(-27, 0),
    gesture: "drag",
  });
  expect(points(state, "house")).toHaveLength(5);
  expect(points(state, "house")?.[4]).toEqual(at(-27, 0));
  expect(state.point).toBe(4);
  expect(edit(state, { do: "undo" }).document).toEqual(street());
});

test("points can be deleted down to three", () => {
  const once = after({ do: "select", zone: "house", point: 3 }, { do: "delete-point" });
  expect(points(once, "house")).toEqual(street().zones[0]?.shape.points.slice(0, 3));
  expect(once.point).toBe(2);
  expect(edit(once, { do: "delete-point" })).toBe(once);
});

test("a zone goes with the trims that correct it, everything else stays", () => {
  const state = after({ do: "select", zone: "house" }, { do: "delete-zone" });
  expect(state.document.zones.map(({ id }) => id)).toEqual(["garden"]);
  expect(state.document.presets?.[0]?.trims).toEqual([{ zone: "garden", pan_deg: 0.1, tilt_deg: 0 }]);
  expect(state.zone).toBeNull();
  expect(edit(state, { do: "undo" }).document).toEqual(street());
});

test("a name that is emptied is no name; typing one is one step", () => {
  const typed = after(
    ..."No. 3".split("").map((_, i): Edit => ({ do: "rename", zone: "house", name: "No. 3".slice(0, i + 1) })),
  );
  expect(typed.document.zones[0]?.name).toBe("No. 3");
  expect(typed.past).toHaveLength(1);
  expect(edit(typed, { do: "rename", zone: "house", name: " " }).document).toEqual(street());
});

test("why nothing is private is said only without zones", () => {
  const why: Edit = { do: "explain", nothingPrivate: "Open water." };
  expect(after(why).document).toEqual(street());
  const empty = after(
    { do: "select", zone: "house" },
    { do: "delete-zone" },
    { do: "select", zone: "garden" },
    { do: "delete-zone" },
    why,
  );
  expect(empty.document.nothing_private).toBe("Open water.");
  const again = [...drawn(...TRIANGLE), { do: "draw-close" } as const].reduce<Editing>(edit, empty);
  expect(again.document).not.toHaveProperty("nothing_private");
});

test.each([
  [at(12.34567891, -7.00000049), at(12.345679, -7)],
  [at(-1e-9, 91), at(0, 90)],
  [at(361, 0), at(1, 0)],
  [
    { x: 0.12345678, y: -3 },
    { x: 0.123457, y: -1 },
  ],
])("a point at %j is stored as %j", (point, kept) => {
  const type = "x" in point ? "image" : "sphere";
  expect(after({ do: "draw", type }, { do: "draw-point", point }).drawing?.points).toEqual([kept]);
});

test("whatever is done, undoing all of it leads back and redoing forth again", () => {
  const random = seeded(11);
  const some = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let state = begin(street());
  for (let i = 0; i < 150; i += 1) {
    const zone = some([...state.document.zones.map(({ id }) => id), "gone"]);
    const edits: Edit[] = [
      { do: "select", zone, point: Math.floor(random() * 6) },
      { do: "move-point", point: at(random() * 90, random() * 20), gesture: some(["a", "b"]) },
      { do: "insert-point", zone, after: 1, point: at(random() * 90, random() * 20) },
      { do: "delete-point" },
      { do: "mode", zone, mode: some(["hide", "show-only"]) },
      ...drawn(...TRIANGLE),
      { do: "draw-close" },
      { do: "undo" },
      { do: "redo" },
    ];
    state = edit(state, some(edits));
    for (const each of state.document.zones) expect(each.shape.points.length).toBeGreaterThanOrEqual(3);
  }
  state = edit(state, { do: "draw-cancel" });
  const end = state.document;
  const steps = state.past.length;
  for (let i = 0; i < steps; i += 1) state = edit(state, { do: "undo" });
  expect(state.document).toEqual(street());
  for (let i = 0; i < steps; i += 1) state = edit(state, { do: "redo" });
  expect(state.document).toEqual(end);
});
