import { expect, test } from "vitest";
import { leftMs } from "./still";

const UNTIL = "2026-11-22T12:00:00Z";
const NOW = Date.parse("2026-11-22T11:59:00Z");

test.each<[string | null, string | null, number]>([
  [UNTIL, "Sun, 22 Nov 2026 11:58:30 GMT", 90_000],
  [UNTIL, "Sun, 22 Nov 2026 12:00:01 GMT", 0],
  [UNTIL, null, 60_000],
  [UNTIL, "no time", 60_000],
  [null, "Sun, 22 Nov 2026 11:58:30 GMT", 0],
  ["no time", null, 0],
])("until %s, answered at %s: %d ms", (until, date, left) => {
  expect(leftMs(until, date, NOW)).toBe(left);
});
