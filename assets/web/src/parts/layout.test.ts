import { expect, test } from "vitest";
import { GAP, layout, NARROWEST_CELL, neighbour } from "./layout";

const DESK = { width: 1350, height: 704 };
const TABLET = { width: 752, height: 960 };
const LYING = { width: 1008, height: 700 };
const ZOOMED = { width: 667, height: 320 };
const CAPTION = 44;

test.each([
  ["one", 1, DESK, 1],
  ["two", 2, DESK, 2],
  ["four", 4, DESK, 2],
  ["nine", 9, DESK, 3],
  ["sixteen", 16, DESK, 4],
  ["one on a tablet", 1, TABLET, 1],
  ["two on a tablet", 2, TABLET, 1],
  ["four on a tablet", 4, TABLET, 2],
  ["nine on a tablet", 9, TABLET, 2],
  ["sixteen on a tablet", 16, TABLET, 3],
  ["nine on a lying tablet", 9, LYING, 3],
  ["sixteen, zoomed", 16, ZOOMED, 2],
])("%s", (_, count, space, columns) => {
  expect(layout(count, space, CAPTION).columns).toBe(columns);
});

test("a wall is never wider than its space, and its cells hold their captions", () => {
  for (const space of [DESK, TABLET, LYING, ZOOMED]) {
    for (let count = 1; count <= 32; count += 1) {
      const { columns, cell, picture } = layout(count, space, CAPTION);
      expect(columns * cell + GAP * (columns - 1)).toBeLessThanOrEqual(space.width);
      expect(cell).toBeGreaterThanOrEqual(NARROWEST_CELL);
      expect(picture).toBeGreaterThan(0);
    }
  }
});

test.each([
  ["a window of nothing", { width: 0, height: 0 }],
  ["a narrow one", { width: 180, height: 2000 }],
])("%s still has one column", (_, space) => {
  expect(layout(3, space, CAPTION).columns).toBe(1);
});

test.each([
  [0, "ArrowRight", 1],
  [0, "ArrowLeft", 0],
  [4, "ArrowRight", 4],
  [0, "ArrowDown", 3],
  [2, "ArrowDown", 2],
  [4, "ArrowUp", 1],
  [1, "x", 1],
])("from %i of five in three columns with %s to %i", (from, key, to) => {
  expect(neighbour(from, key, 5, 3)).toBe(to);
});
