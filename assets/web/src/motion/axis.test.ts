import { expect, test } from "vitest";
import { lineOf, ticksOf, unwrap } from "./axis";

test.each([
  [0, 1, [0, 0.5, 1]],
  [0, 2.3, [0, 1, 2, 3]],
  [-31, 31, [-40, -20, 0, 20, 40]],
  [5, 5, [5, 5.0005, 5.001]],
])("from %d to %d the ticks are %j", (low, high, ticks) => {
  const found = ticksOf(low, high);
  expect(found[0]).toBeLessThanOrEqual(low);
  expect(found.at(-1)).toBeGreaterThanOrEqual(high);
  if (low !== high) expect(found).toEqual(ticks);
});

test("a pan across the seam goes on", () => {
  expect(unwrap([178, -179, null, -175, 170])).toEqual([178, 181, null, 185, 170]);
});

test("a line is broken off where nothing is known", () => {
  const points = [1, 2, null, 3].map((y, x) => ({ x, y }));
  expect(lineOf(points)).toBe("M0.0 1.0L1.0 2.0M3.0 3.0");
  expect(lineOf([])).toBe("");
});
