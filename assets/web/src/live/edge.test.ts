import { expect, test } from "vitest";
import { follow, trimTo } from "./edge";

test.each<[string, number, number, number | null, number]>([
  ["just behind", 10, 10.04, null, 1],
  ["a little behind", 10, 10.1, null, 1],
  ["behind", 10, 10.3, null, 1.15],
  ["far behind", 10, 10.6, 10.56, 1],
  ["after a long sleep", 10, 3600, 3599.96, 1],
  ["past the last picture", 10, 9.5, null, 1],
])("%s", (_, at, edge, jumpToS, rate) => {
  const step = follow(at, edge, 1);
  expect(step.rate).toBe(rate);
  if (jumpToS === null) expect(step.jumpToS).toBeNull();
  else expect(step.jumpToS).toBeCloseTo(jumpToS);
});

test("it hurries until it is close", () => {
  expect(follow(10, 10.1, 1.15).rate).toBe(1.15);
  expect(follow(10, 10.05, 1.15).rate).toBe(1);
});

test.each<[string, number, number, number[], number | null]>([
  ["nothing is worth it yet", 0, 5, [0, 2, 4], null],
  ["up to the last key frame that was played a while ago", 0, 16, [0, 2, 10, 12, 14], 11.999],
  ["without a key frame nothing goes", 0, 60, [0], null],
  ["nor while the key frame is of now", 0, 60, [0, 58], null],
  ["later", 11.999, 30, [12, 14, 24, 26, 28], 25.999],
])("%s", (_, first, at, keys, to) => {
  expect(trimTo(first, at, keys)).toBe(to);
});
