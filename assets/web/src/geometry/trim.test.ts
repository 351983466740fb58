import { describe, expect, test } from "vitest";
import { cameraOf } from "./camera";
import { seeded } from "./seeded";
import { distanceDeg, ends, shiftedView, shiftsAt, shiftTo } from "./trim";
import type { TurningView } from "./types";

const VIEW: TurningView = {
  kind: "turning",
  size: [1280, 720],
  pan_deg: 0,
  tilt_deg: -4,
  roll_deg: 0,
  focal_px: 1100,
  k1: 0,
  k2: 0,
  mount: { pan_deg: 0, pitch_deg: 0, roll_deg: 0, ceiling: false },
  moving: false,
  margin_deg: 0.5,
  zoom: 0,
  hfov_deg: 60.4,
  state: "live",
  reason: null,
};

// The numbers of the gateway's own tests: src/zone/trim.rs and src/zone/tests.rs.
describe("as the gateway has it", () => {
  test.each([
    [Number.POSITIVE_INFINITY, 0, 0],
    [2, 0, 0],
    [1.125, 0.5, 0],
    [0.25, 1, 0],
    [0.15, 1, 0.5],
    [0.05, 1, 1],
    [0, 1, 1],
  ])("%d° from the preset the leading end has %d of the trim, the trailing one %d", (far, lead, trail) => {
    expect(ends(far).lead).toBeCloseTo(lead, 9);
    expect(ends(far).trail).toBeCloseTo(trail, 9);
  });

  test.each([
    [-179.5, 0.5],
    [539, 1],
    [-180, 0],
    [0, 180],
    [Number.NaN, Number.POSITIVE_INFINITY],
  ])("pan %d is %d° from pan 180", (pan_deg, far) => {
    const apart = distanceDeg({ pan_deg: 180, tilt_deg: 0 }, { pan_deg, tilt_deg: 0 });
    if (Number.isFinite(far)) expect(apart).toBeCloseTo(far, 9);
    else expect(apart).toBe(far);
  });

  test.each([
    [2.5, 0, 0],
    [-2.5, 0, 0],
    [0.25, 0.25, 0.25],
    [0, 0.5, 0],
    [0.04, 0.5, 0],
  ])("at pan %d the ends lie around %d°, %d° to each side", (pan_deg, middle, spread) => {
    const preset = { pan_deg: 0, tilt_deg: 0, trims: [{ zone: "z", pan_deg: 0.5, tilt_deg: 0 }] };
    const pans = (shiftsAt([preset], { pan_deg, tilt_deg: 0 }).get("z") ?? [{ pan_deg: 0 }]).map((s) => s.pan_deg);
    expect((Math.min(...pans) + Math.max(...pans)) / 2).toBeCloseTo(middle, 9);
    expect((Math.max(...pans) - Math.min(...pans)) / 2).toBeCloseTo(spread, 9);
  });
});

test("two presets this near each other shift a zone to the ends of both", () => {
  const at = (pan_deg: number, by: number) => ({
    pan_deg,
    tilt_deg: 0,
    trims: [{ zone: "z", pan_deg: by, tilt_deg: 0 }],
  });
  expect(shiftsAt([at(0, 1), at(0.04, -1)], { pan_deg: 0, tilt_deg: 0 }).get("z")).toEqual([
    { pan_deg: 1, tilt_deg: 0 },
    { pan_deg: -1, tilt_deg: 0 },
  ]);
});

test("a zone that is trimmed to the right and upwards lies further right and higher in the picture", () => {
  const house = { pan_deg: 3, tilt_deg: -2 };
  const plain = cameraOf(VIEW).project(house);
  const moved = cameraOf(shiftedView(VIEW, { pan_deg: 1, tilt_deg: 0.5 })).project(house);
  // About 19 px a degree at this focal length.
  expect((moved?.u ?? 0) - (plain?.u ?? 0)).toBeGreaterThan(18);
  expect((moved?.v ?? 0) - (plain?.v ?? 0)).toBeLessThan(-8);
});

test("what is dragged stays under the hand, whatever the camera and its mount", () => {
  const random = seeded(5);
  const between = (low: number, high: number) => low + (high - low) * random();
  for (let i = 0; i < 500; i += 1) {
    const view: TurningView = {
      ...VIEW,
      pan_deg: between(-720, 720),
      tilt_deg: between(-60, 15),
      roll_deg: random() < 0.5 ? 180 : between(-3, 3),
      focal_px: between(900, 20_000),
      k1: between(-0.05, 0.05),
      mount: {
        pan_deg: between(-180, 180),
        pitch_deg: between(-4, 4),
        roll_deg: between(-4, 4),
        ceiling: random() < 0.5,
      },
    };
    const before = { pan_deg: between(-1, 1), tilt_deg: between(-1, 1) };
    const from = { u: between(200, 1000), v: between(100, 600) };
    const to = { u: from.u + between(-60, 60), v: from.v + between(-60, 60) };
    const after = shiftTo(view, before, from, to);
    expect(after).not.toBeNull();
    if (!after) continue;
    const gripped = cameraOf(shiftedView(view, before)).unproject(from);
    const seen = cameraOf(shiftedView(view, after)).project(gripped);
    expect(seen?.u).toBeCloseTo(to.u, 4);
    expect(seen?.v).toBeCloseTo(to.v, 4);
  }
});

test("a hand that does not move changes nothing", () => {
  const shift = shiftTo(VIEW, { pan_deg: 0.4, tilt_deg: -0.2 }, { u: 300, v: 200 }, { u: 300, v: 200 });
  expect(shift?.pan_deg).toBeCloseTo(0.4, 9);
  expect(shift?.tilt_deg).toBeCloseTo(-0.2, 9);
});
