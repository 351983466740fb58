import { expect, test } from "vitest";
import { seeded } from "../geometry/seeded";
import { crossesItself } from "./crossing";
import type { Shape } from "./document";
import { carried } from "./points";
import { sphereZone } from "./sample";

const picture = (...points: [number, number][]): Shape => ({
  type: "image",
  points: points.map(([x, y]) => ({ x, y })),
});

test.each<[string, Shape, boolean]>([
  ["a square", picture([0, 0], [1, 0], [1, 1], [0, 1]), false],
  ["the other way round", picture([0, 1], [1, 1], [1, 0], [0, 0]), false],
  ["a concave one", picture([0, 0], [1, 0], [1, 1], [0.5, 0.2], [0, 1]), false],
  ["a triangle", picture([0, 0], [1, 0], [0.3, 1]), false],
  ["a bow tie", picture([0, 0], [1, 1], [1, 0], [0, 1]), true],
  ["a bow tie, the other way round", picture([0, 1], [1, 0], [1, 1], [0, 0]), true],
  ["a point on another edge", picture([0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]), true],
  ["a spike through the far side", picture([0, 0], [1, 0], [1, 1], [0.5, -0.4], [0, 1]), true],
])("%s", (_, shape, crosses) => {
  expect(crossesItself(shape)).toBe(crosses);
});

test("on the sphere it is the same wherever it lies, across the seam too", () => {
  const random = seeded(5);
  const { shape } = sphereZone("z", 0, 0);
  const [a, b, c, d] = shape.points as { pan_deg: number; tilt_deg: number }[];
  const tied: Shape = { type: "sphere", points: [a, c, b, d].filter((point) => point !== undefined) };
  for (let i = 0; i < 200; i += 1) {
    const to = { pan_deg: random() * 360 - 180, tilt_deg: random() * 170 - 85 };
    const from = { pan_deg: 0, tilt_deg: 0 };
    expect(crossesItself(carried(shape, from, to))).toBe(false);
    expect(crossesItself(carried(tied, from, to))).toBe(true);
  }
});
