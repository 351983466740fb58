import { expect, test } from "vitest";
import { look, noCells, PANS, pathOf, reachable, shareOf, TILTS, type Limits } from "./globe";
import { TOP_DEG } from "./panorama";
import type { TurningView } from "./types";

const VIEW: TurningView = {
  kind: "turning",
  size: [1280, 720],
  pan_deg: 0,
  tilt_deg: 0,
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
const LIMITS: Limits = { pan_deg: [-180, 180], tilt_deg: [-90, 0], endless_pan: true, hfov_deg: 60 };
const cell = (pan: number, tilt: number) => Math.floor(TOP_DEG - tilt) * PANS + Math.floor(pan + 180);

test("what the camera has looked at adds up", () => {
  const cells = noCells();
  // 60.4° by 36.2°: a few cells less, as seen from the sphere.
  const first = look(cells, VIEW);
  expect(first).toBeGreaterThan(1700);
  expect(first).toBeLessThan(2400);
  expect(look(cells, VIEW)).toBe(0);
  expect(look(cells, { ...VIEW, pan_deg: 180 })).toBe(first);
  expect([cells[cell(0, 0)], cells[cell(179.5, 0)], cells[cell(90, 0)]]).toEqual([1, 1, 0]);
  expect(shareOf(cells)).toBeGreaterThan(0.05);
});

test.each<[string, Partial<Limits>, [number, number, boolean][]]>([
  [
    "above the highest tilt and half the picture nothing can be seen",
    {},
    [
      [10, 17, true],
      [10, 25, false],
      [10, -89, true],
    ],
  ],
  [
    "beyond a pan that ends",
    { pan_deg: [-90, 90], endless_pan: false, tilt_deg: [-30, 0] },
    [
      [115, 0, true],
      [125, 0, false],
      [-125, 0, false],
    ],
  ],
  [
    "a range of pan across the seam",
    { pan_deg: [100, 260], endless_pan: false, tilt_deg: [-30, 0] },
    [
      [-120, 0, true],
      [75, 0, true],
      [0, 0, false],
    ],
  ],
])("%s", (_, limits, places) => {
  const cells = reachable({ ...LIMITS, ...limits }, VIEW);
  for (const [pan, tilt, seen] of places) expect(cells[cell(pan, tilt)] === 1, `${pan} ${tilt}`).toBe(seen);
});

test("a camera that hangs from a ceiling reaches what its mount lets it reach", () => {
  const mount = { ...VIEW.mount, ceiling: true };
  const cells = reachable({ ...LIMITS, tilt_deg: [0, 90] }, { ...VIEW, mount });
  expect([cells[cell(10, -60)], cells[cell(10, 25)]]).toEqual([1, 0]);
});

test("whatever is looked at is within reach", () => {
  const all = reachable(LIMITS, { ...VIEW, k1: -0.05 });
  const seen = noCells();
  for (let pan_deg = -180; pan_deg < 180; pan_deg += 45) {
    for (let tilt_deg = -90; tilt_deg <= 0; tilt_deg += 15)
      look(seen, { ...VIEW, pan_deg, tilt_deg, focal_px: 1109, k1: -0.05 });
  }
  expect(seen.every((value, i) => value === 0 || all[i] === 1)).toBe(true);
  expect(shareOf(seen, all)).toBeGreaterThan(0.95);
});

test("cells are drawn as one piece a row", () => {
  expect(pathOf((i) => i < 3 || i === PANS)).toBe("M0 0h12v4h-12ZM0 4h4v4h-4Z");
  expect(pathOf(() => false)).toBe("");
  expect(pathOf(() => true).match(/M/g)).toHaveLength(TILTS);
});
