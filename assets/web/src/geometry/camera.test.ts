import { describe, expect, test } from "vitest";
import { cameraOf } from "./camera";
import { seeded } from "./seeded";
import type { TurningView } from "./types";
import { angleDeg, vectorOf } from "./vector";
import vectors from "./vectors.json";

// Made once by the gateway's own geometry (src/geom), for views of all kinds.
const cases = vectors.map((entry, i) => [i, entry] as const);

describe.each(cases)("view %i agrees with the gateway", (_, { view, project, unproject }) => {
  const camera = cameraOf(view as TurningView);

  test("from direction to pixel", () => {
    for (const { at, ...direction } of project) {
      const seen = camera.project(direction);
      if (!at) {
        expect(seen, JSON.stringify(direction)).toBeNull();
        continue;
      }
      // Far outside, the straight continuation magnifies what the numbers' rounding leaves.
      const tolerance = 1e-4 + 1e-7 * Math.hypot(at.x, at.y);
      expect(Math.abs((seen?.u ?? Number.NaN) - at.x)).toBeLessThan(tolerance);
      expect(Math.abs((seen?.v ?? Number.NaN) - at.y)).toBeLessThan(tolerance);
    }
  });

  test("from pixel to direction", () => {
    for (const { x, y, ...direction } of unproject) {
      expect(angleDeg(camera.unprojectVector({ u: x, v: y }), vectorOf(direction))).toBeLessThan(2e-7);
    }
  });
});

test("there and back, inside the frame and around it", () => {
  const random = seeded(7);
  const between = (low: number, high: number) => low + (high - low) * random();
  for (let i = 0; i < 2000; i += 1) {
    const camera = cameraOf({
      kind: "turning",
      size: [1280, 720],
      pan_deg: between(-720, 720),
      tilt_deg: between(-90, 30),
      roll_deg: between(-180, 180),
      focal_px: between(900, 20_000),
      k1: between(-0.1, 0.1),
      k2: between(-0.02, 0.02),
      mount: {
        pan_deg: between(-180, 180),
        pitch_deg: between(-5, 5),
        roll_deg: between(-5, 5),
        ceiling: random() < 0.5,
      },
      moving: false,
      margin_deg: 0,
      zoom: null,
      hfov_deg: 60,
      state: "live",
      reason: null,
    });
    const at = { u: between(-300, 1580), v: between(-300, 1020) };
    const again = camera.project(camera.unproject(at));
    expect(again?.u).toBeCloseTo(at.u, 5);
    expect(again?.v).toBeCloseTo(at.v, 5);
  }
});

test.each([
  ["NaN", { pan_deg: Number.NaN }],
  ["no focal length", { focal_px: 0 }],
  ["a lens that folds", { k1: -5 }],
])("%s is no view", (_, wrong) => {
  const view = vectors[0]?.view as TurningView;
  expect(() => cameraOf({ ...view, ...wrong })).toThrow(RangeError);
});
