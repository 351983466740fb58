import { expect, test } from "vitest";
import type { TurningView, ViewMessage } from "../geometry/types";
import { chartOf } from "./chart";
import { street } from "./sample";
import { trimmed } from "./trimmed";

const view = (pan_deg: number): TurningView => ({
  kind: "turning",
  size: [1280, 720],
  pan_deg,
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
});

test.each<[string, number, number, boolean, boolean]>([
  ["far away it is hidden where it was drawn", 5, 1, false, false],
  ["on the way it is hidden at both ends", -9, 2, false, true],
  ["near the preset too", -9.7, 2, false, true],
  ["almost there the untrimmed place is left", -9.9, 2, true, true],
  ["on the preset it is hidden at one place", -10, 1, true, false],
])("%s", (_, pan_deg, places, left, between) => {
  const now = view(pan_deg);
  const chart = chartOf(now);
  const found = trimmed(now, chart, street().presets);
  expect(found.of("house").hidden).toHaveLength(places);
  expect(found.of("house").left).toBe(left ? chart : null);
  expect(found.between).toBe(between);
});

test("what is drawn on the preset is what a camera sees that stands the trim further left and lower", () => {
  const now = view(-10);
  const zone = street().zones[0];
  const [drawn] = trimmed(now, chartOf(now), street().presets).of("house").hidden;
  const other = chartOf({ ...now, pan_deg: -10.12, tilt_deg: -3.95 });
  expect(zone && drawn.outlines(zone.shape)).toEqual(zone && other.outlines(zone.shape));
});

test("a fixed camera has no trims", () => {
  const fixed: ViewMessage = { kind: "fixed", size: [1280, 720], state: "live", reason: null };
  const chart = chartOf(fixed);
  expect(trimmed(fixed, chart, street().presets).of("house")).toEqual({ hidden: [chart], left: null });
});
