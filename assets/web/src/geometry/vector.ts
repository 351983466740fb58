// Directions as vectors: x right, y up, z towards pan 0, tilt 0.

import type { SpherePoint } from "./types";

export type Vector = readonly [number, number, number];
/** An orthonormal 3×3 matrix, rows first. */
export type Rotation = readonly [Vector, Vector, Vector];

/** One degree, in radians. */
export const DEG = Math.PI / 180;

/** `angle` plus whole turns, so that it is within half a turn of `near`; degrees. */
export function nearestTurn(angle: number, near: number): number {
  return angle + 360 * Math.round((near - angle) / 360);
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function unit(v: Vector): Vector {
  const n = Math.hypot(...v) || 1;
  return [v[0] / n, v[1] / n, v[2] / n];
}

export function vectorOf({ pan_deg, tilt_deg }: SpherePoint): Vector {
  const [pan, tilt] = [pan_deg * DEG, tilt_deg * DEG];
  return [Math.cos(tilt) * Math.sin(pan), Math.sin(tilt), Math.cos(tilt) * Math.cos(pan)];
}

/** Pan in (−180°, 180°], tilt in [−90°, 90°]; of any vector but zero. */
export function directionOf(v: Vector): SpherePoint {
  const [x, y, z] = unit(v);
  return { pan_deg: Math.atan2(x, z) / DEG, tilt_deg: Math.asin(Math.max(-1, Math.min(1, y))) / DEG };
}

/** The angle between two unit vectors, degrees; exact for small ones too. */
export function angleDeg(a: Vector, b: Vector): number {
  return Math.atan2(Math.hypot(...cross(a, b)), dot(a, b)) / DEG;
}

export function apply(r: Rotation, v: Vector): Vector {
  return [dot(r[0], v), dot(r[1], v), dot(r[2], v)];
}

export function transpose(r: Rotation): Rotation {
  return [
    [r[0][0], r[1][0], r[2][0]],
    [r[0][1], r[1][1], r[2][1]],
    [r[0][2], r[1][2], r[2][2]],
  ];
}

/** The rotation `then` after `first`. */
export function after(then: Rotation, first: Rotation): Rotation {
  const columns = transpose(first);
  return [apply(columns, then[0]), apply(columns, then[1]), apply(columns, then[2])];
}

/** Takes the direction at pan `deg` to straight ahead. */
export function panRotation(deg: number): Rotation {
  const [s, c] = [Math.sin(deg * DEG), Math.cos(deg * DEG)];
  return [
    [c, 0, -s],
    [0, 1, 0],
    [s, 0, c],
  ];
}

/** Takes the direction straight ahead and `deg` up to straight ahead. */
export function tiltRotation(deg: number): Rotation {
  const [s, c] = [Math.sin(deg * DEG), Math.cos(deg * DEG)];
  return [
    [1, 0, 0],
    [0, c, -s],
    [0, s, c],
  ];
}

/** What a camera that turned clockwise by `deg` about its axis sees. */
export function rollRotation(deg: number): Rotation {
  const [s, c] = [Math.sin(deg * DEG), Math.cos(deg * DEG)];
  return [
    [c, -s, 0],
    [s, c, 0],
    [0, 0, 1],
  ];
}

/** The shortest turn that takes the unit vector `from` to `to`; none for opposite ones. */
export function turn(from: Vector, to: Vector): Rotation {
  const [x, y, z] = cross(from, to);
  const c = dot(from, to);
  if (c < -0.999999)
    return [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
  const k = 1 / (1 + c);
  return [
    [x * x * k + c, x * y * k - z, x * z * k + y],
    [x * y * k + z, y * y * k + c, y * z * k - x],
    [x * z * k - y, y * z * k + x, z * z * k + c],
  ];
}

/** From `a` to `b` along the great circle in steps of at most `stepDeg`; with `a`, without `b`. */
export function arc(a: Vector, b: Vector, stepDeg: number): Vector[] {
  const angle = angleDeg(a, b);
  const steps = Math.max(1, Math.ceil(angle / stepDeg));
  const sine = Math.sin(angle * DEG);
  const points: Vector[] = [a];
  for (let i = 1; i < steps; i += 1) {
    const t = i / steps;
    const [p, q] = [Math.sin((1 - t) * angle * DEG) / sine, Math.sin(t * angle * DEG) / sine];
    points.push([a[0] * p + b[0] * q, a[1] * p + b[1] * q, a[2] * p + b[2] * q]);
  }
  return points;
}
