import { expect, test } from "vitest";
import { cameraOf } from "./camera";
import { edgeVectors, outlineInPicture } from "./outline";
import { frameInPanorama, outlinesInPanorama, PANORAMA, PX_PER_DEG } from "./panorama";
import type { Pixel, SpherePoint, TurningView } from "./types";
import { angleDeg } from "./vector";

const LOOKING: TurningView = {
  kind: "turning",
  size: [1280, 720],
  pan_deg: 0,
  tilt_deg: 0,
  roll_deg: 0,
  focal_px: 1100,
  k1: -0.05,
  k2: 0,
  mount: { pan_deg: 0, pitch_deg: 0, roll_deg: 0, ceiling: false },
  moving: false,
  margin_deg: 0.5,
  zoom: 0,
  hfov_deg: 60.4,
  state: "live",
  reason: null,
};
const square = (pan: number, tilt: number, half: number): SpherePoint[] => [
  { pan_deg: pan - half, tilt_deg: tilt - half },
  { pan_deg: pan + half, tilt_deg: tilt - half },
  { pan_deg: pan + half, tilt_deg: tilt + half },
  { pan_deg: pan - half, tilt_deg: tilt + half },
];

function area(outline: Pixel[]): number {
  const twice = outline.reduce((sum, a, i) => {
    const b = outline[(i + 1) % outline.length] ?? a;
    return sum + a.u * b.v - b.u * a.v;
  }, 0);
  return Math.abs(twice) / 2;
}

test("no step of an edge is longer than half a degree", () => {
  for (const edge of edgeVectors(square(20, -50, 15))) {
    edge.slice(1).forEach((v, i) => expect(angleDeg(edge[i] ?? v, v)).toBeLessThanOrEqual(0.5 + 1e-9));
  }
});

test("a polygon turns along while the camera pans, until it is behind", () => {
  const house = square(10, 0, 5);
  for (let pan = 0; pan < 360; pan += 5) {
    const outline = outlineInPicture(house, cameraOf({ ...LOOKING, pan_deg: pan }));
    expect(outline.every(({ u, v }) => Number.isFinite(u) && Number.isFinite(v) && Math.abs(u) < 1e4)).toBe(true);
    const away = Math.abs(((pan - 10 + 540) % 360) - 180);
    if (away > 100) expect(outline).toEqual([]);
    if (away < 20) expect(area(outline)).toBeGreaterThan(150 * 150);
  }
});

test("a polygon that reaches behind the camera still covers what it covers before it", () => {
  const belt: SpherePoint[] = [
    { pan_deg: -70, tilt_deg: -20 },
    { pan_deg: 0, tilt_deg: -25 },
    { pan_deg: 70, tilt_deg: -20 },
    { pan_deg: 70, tilt_deg: 20 },
    { pan_deg: 0, tilt_deg: 25 },
    { pan_deg: -70, tilt_deg: 20 },
  ];
  const outline = outlineInPicture(belt, cameraOf({ ...LOOKING, pan_deg: 60 }));
  const us = outline.map(({ u }) => u);
  expect(Math.min(...us)).toBeLessThan(0);
  expect(Math.max(...us)).toBeGreaterThan(640);
});

test("a polygon across the seam is drawn on both sides, one around straight down reaches the bottom", () => {
  expect(outlinesInPanorama(square(0, 0, 10))).toHaveLength(1);
  const seam = outlinesInPanorama(square(175, 0, 10));
  expect(seam).toHaveLength(2);
  for (const outline of seam) expect(area(outline)).toBeGreaterThan(19 * 19 * PX_PER_DEG ** 2);
  const below = [0, 90, 180, -90].map((pan_deg) => ({ pan_deg, tilt_deg: -70 }));
  const bottom = Math.max(
    ...outlinesInPanorama(below)
      .flat()
      .map(({ v }) => v),
  );
  expect(bottom).toBeCloseTo(PANORAMA.height);
});

test("the frame in the panorama stands where the camera looks", () => {
  const [frame] = frameInPanorama(cameraOf({ ...LOOKING, pan_deg: 30, tilt_deg: -20 }));
  const middle = (values: number[]) => (Math.min(...values) + Math.max(...values)) / 2;
  expect(middle((frame ?? []).map(({ u }) => u))).toBeCloseTo((30 + 180) * PX_PER_DEG, 0);
});
