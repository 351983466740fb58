// The sphere unrolled: pan to the right, tilt upwards, as many pixels a degree
// in both. Outlines are unwrapped, so that one across the seam stays whole; it
// is then drawn once more on the other side.

import type { Camera } from "./camera";
import { edgeVectors } from "./outline";
import type { Pixel, SpherePoint } from "./types";
import { directionOf, nearestTurn, type Vector } from "./vector";

export const PX_PER_DEG = 4;
export const TOP_DEG = 30;
export const BOTTOM_DEG = -90;
export const PANORAMA = { width: 360 * PX_PER_DEG, height: (TOP_DEG - BOTTOM_DEG) * PX_PER_DEG };

export function toPanorama({ pan_deg, tilt_deg }: SpherePoint): Pixel {
  return { u: (pan_deg + 180) * PX_PER_DEG, v: (TOP_DEG - tilt_deg) * PX_PER_DEG };
}

/** The closed outline of a polygon, once for each turn in which it can be seen. */
export function outlinesInPanorama(points: readonly SpherePoint[]): Pixel[][] {
  return unroll(edgeVectors(points).flat());
}

const PER_SIDE = 24;

/** What the camera sees now, as an outline. */
export function frameInPanorama(camera: Camera): Pixel[][] {
  const corners: Pixel[] = [
    { u: 0, v: 0 },
    { u: camera.width, v: 0 },
    { u: camera.width, v: camera.height },
    { u: 0, v: camera.height },
  ];
  const border = corners.flatMap((from, i) => {
    const to = corners[(i + 1) % 4] ?? from;
    return Array.from({ length: PER_SIDE }, (_, k) => ({
      u: from.u + ((to.u - from.u) * k) / PER_SIDE,
      v: from.v + ((to.v - from.v) * k) / PER_SIDE,
    }));
  });
  return unroll(border.map(camera.unprojectVector));
}

function unroll(outline: readonly Vector[]): Pixel[][] {
  const line = unwrapped(outline.map(directionOf));
  const drawn = isBelt(line) ? withPole(line) : line;
  if (drawn.length === 0) return [];
  const pans = drawn.map((point) => point.pan_deg);
  const [low, high] = [Math.min(...pans), Math.max(...pans)];
  return [-360, 0, 360]
    .filter((turn) => low + turn < 180 && high + turn > -180)
    .map((turn) => drawn.map((point) => toPanorama({ ...point, pan_deg: point.pan_deg + turn })));
}

/** The same points, with pans that do not jump from one to the next. */
function unwrapped(points: readonly SpherePoint[]): SpherePoint[] {
  let last: number | null = null;
  return points.map(({ pan_deg, tilt_deg }) => {
    last = last === null ? pan_deg : nearestTurn(pan_deg, last);
    return { pan_deg: last, tilt_deg };
  });
}

/** Whether the line goes once around, with a pole inside. */
function isBelt(line: readonly SpherePoint[]): boolean {
  const [first, last] = [line[0], line[line.length - 1]];
  if (!first || !last) return false;
  return Math.abs(nearestTurn(first.pan_deg, last.pan_deg) - first.pan_deg) > 180;
}

/** A pole is a line in this drawing; the way to it lies on the seam, where it is not seen. */
function withPole(belt: readonly SpherePoint[]): SpherePoint[] {
  const distance = (pan: number) => Math.abs(pan - nearestTurn(180, pan));
  const seam = belt.reduce(
    (best, { pan_deg }, i) => (distance(pan_deg) < distance(belt[best]?.pan_deg ?? 0) ? i : best),
    0,
  );
  const line = unwrapped([...belt.slice(seam), ...belt.slice(0, seam)]);
  const [first, last] = [line[0], line[line.length - 1]];
  if (!first || !last) return [];
  const end = nearestTurn(first.pan_deg, last.pan_deg);
  const pole = line.reduce((sum, point) => sum + point.tilt_deg, 0) < 0 ? -90 : 90;
  return [
    ...line,
    { pan_deg: end, tilt_deg: first.tilt_deg },
    { pan_deg: end, tilt_deg: pole },
    { pan_deg: first.pan_deg, tilt_deg: pole },
  ];
}
