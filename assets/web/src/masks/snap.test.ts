import { expect, test } from "vitest";
import { seeded } from "../geometry/seeded";
import type { TurningView } from "../geometry/types";
import { angleDeg, vectorOf } from "../geometry/vector";
import { chartOf, pictureChart } from "./chart";
import type { SphereZone, Zone } from "./document";
import { carried, halfway } from "./points";
import { sphereZone, street } from "./sample";
import { snap, targetsOf } from "./snap";

const VIEW: TurningView = {
  kind: "turning",
  size: [1280, 720],
  pan_deg: -10,
  tilt_deg: -2,
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
const chart = chartOf(VIEW);
const targets = targetsOf(street(), chart, "sphere", "garden");
const corner = chart.place({ pan_deg: -15, tilt_deg: 5 }) ?? { u: 0, v: 0 };
const side = chart.place({ pan_deg: -15, tilt_deg: 0 }) ?? { u: 0, v: 0 };

test.each([
  ["near a corner: that very point", { u: corner.u + 5, v: corner.v + 5 }, { pan_deg: -15, tilt_deg: 5 }],
  ["near an edge: a place on it", { u: side.u + 6, v: side.v }, null],
])("%s", (_, at, point) => {
  const caught = snap(at, targets, 8);
  expect(caught?.point ?? null).toEqual(point);
  expect(caught?.at.u).toBeCloseTo(point ? corner.u : side.u, 0);
});

test.each([
  ["9 pixels away", { u: side.u + 9, v: side.v }, targets],
  ["a zone does not catch at itself", corner, targetsOf(street(), chart, "sphere", "house")],
  ["directions do not catch points of the picture", corner, targetsOf(street(), chart, "image", null)],
])("nothing is caught: %s", (_, at, at_these) => {
  expect(snap(at, at_these, 8)).toBeNull();
});

test("a zone that is carried keeps its form and its grip stays under the hand", () => {
  const random = seeded(3);
  for (let i = 0; i < 300; i += 1) {
    const { shape } = sphereZone("z", random() * 360 - 180, random() * 60 - 50) as SphereZone;
    const from = shape.points[0] ?? { pan_deg: 0, tilt_deg: 0 };
    const to = { pan_deg: from.pan_deg + random() * 20 - 10, tilt_deg: from.tilt_deg + random() * 20 - 10 };
    const moved = carried(shape, from, to) as typeof shape;
    expect(angleDeg(vectorOf(moved.points[0] ?? from), vectorOf(to))).toBeLessThan(2e-6);
    const diagonal = (points: typeof shape.points) =>
      angleDeg(vectorOf(points[0] ?? from), vectorOf(points[2] ?? from));
    expect(diagonal(moved.points)).toBeCloseTo(diagonal(shape.points), 5);
  }
});

test("halfway lies on the edge, across the seam too", () => {
  expect(halfway({ pan_deg: 170, tilt_deg: 0 }, { pan_deg: -170, tilt_deg: 0 })).toMatchObject({ tilt_deg: 0 });
  const [a, b] = [vectorOf({ pan_deg: 170, tilt_deg: 0 }), vectorOf({ pan_deg: 180, tilt_deg: 0 })];
  const middle = halfway({ pan_deg: 170, tilt_deg: 0 }, { pan_deg: -170, tilt_deg: 0 });
  expect("pan_deg" in middle && angleDeg(vectorOf(middle), b)).toBeLessThan(1e-9);
  expect(angleDeg(a, b)).toBeCloseTo(10);
  expect(halfway({ x: 0, y: 0 }, { x: 1, y: 0.5 })).toEqual({ x: 0.5, y: 0.25 });
});

test("a fixed camera's points are fractions of its picture", () => {
  const flat = pictureChart(1920, 1080);
  expect(flat.pointAt({ u: 480, v: 270 }, "image")).toEqual({ x: 0.25, y: 0.25 });
  expect(flat.place({ x: -0.5, y: 1.5 })).toEqual({ u: -960, v: 1620 });
  expect(flat.place({ pan_deg: 0, tilt_deg: 0 })).toBeNull();
  const zone: Zone = sphereZone("z", 0, 0);
  expect(flat.outlines(zone.shape)).toEqual([]);
});
