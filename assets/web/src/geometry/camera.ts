// The camera model: a direction to a pixel and back.
// p = K · distortion · R_roll · R_tilt · R_pan · R_mount · d

import { lensOf, type Lens } from "./lens";
import type { Mount, Pixel, SpherePoint, TurningView } from "./types";
import {
  after,
  apply,
  directionOf,
  panRotation,
  rollRotation,
  tiltRotation,
  transpose,
  unit,
  vectorOf,
  type Rotation,
  type Vector,
} from "./vector";

/** The least cosine from the axis that is projected: 89.4° off the axis. */
export const NEAR_Z = 0.01;

/** To X right, Y down, Z forward. */
const Y_DOWN: Rotation = [
  [1, 0, 0],
  [0, -1, 0],
  [0, 0, 1],
];

export interface Camera {
  width: number;
  height: number;
  focal_px: number;
  lens: Lens;
  /** A direction in camera coordinates: X right, Y down, Z forward. */
  toCamera: (direction: Vector) => Vector;
  /** The pixel of camera coordinates that lie before the camera. */
  pixel: (seen: Vector) => Pixel;
  /** None behind the camera or more than 89.4° off its axis. */
  project: (point: SpherePoint) => Pixel | null;
  unproject: (at: Pixel) => SpherePoint;
  unprojectVector: (at: Pixel) => Vector;
}

/** Throws for numbers that are no view. */
export function cameraOf(view: TurningView): Camera {
  const [width, height] = view.size;
  const { focal_px } = view;
  const numbers = [width, height, focal_px, view.pan_deg, view.tilt_deg, view.roll_deg, view.k1, view.k2];
  if (!numbers.every(Number.isFinite) || width <= 0 || height <= 0 || focal_px <= 0) {
    throw new RangeError("not a view");
  }
  const lens = lensOf(view.k1, view.k2, (0.5 * Math.hypot(width, height)) / focal_px);
  const head = after(rollRotation(view.roll_deg), after(tiltRotation(view.tilt_deg), panRotation(view.pan_deg)));
  const rotation = after(Y_DOWN, after(head, mountRotation(view.mount)));
  const back = transpose(rotation);

  const toCamera = (direction: Vector) => apply(rotation, direction);
  const pixel = ([x, y, z]: Vector): Pixel => {
    const [a, b] = [x / z, y / z];
    const r = Math.hypot(a, b);
    const scale = r < 1e-12 ? focal_px : (focal_px * lens.distort(r)) / r;
    return { u: 0.5 * width + scale * a, v: 0.5 * height + scale * b };
  };
  const unprojectVector = (at: Pixel): Vector => apply(back, ray(at, width, height, focal_px, lens));
  return {
    width,
    height,
    focal_px,
    lens,
    toCamera,
    pixel,
    project: (point) => {
      const seen = toCamera(vectorOf(point));
      return seen[2] >= NEAR_Z ? pixel(seen) : null;
    },
    unproject: (at) => directionOf(unprojectVector(at)),
    unprojectVector,
  };
}

/** In camera coordinates, Z = 1. */
function ray({ u, v }: Pixel, width: number, height: number, focal_px: number, lens: Lens): Vector {
  const [a, b] = [(u - 0.5 * width) / focal_px, (v - 0.5 * height) / focal_px];
  const r = Math.hypot(a, b);
  const scale = r < 1e-12 ? 1 : lens.undistort(r) / r;
  return [a * scale, b * scale, 1];
}

/** The unit vector towards `at` for a camera at rest: x right, y up, z forward. Throws for what is no lens. */
export function rayOf({ size: [width, height], focal_px, k1, k2 }: TurningView, at: Pixel): Vector {
  const lens = lensOf(k1, k2, (0.5 * Math.hypot(width, height)) / focal_px);
  const [x, y, z] = ray(at, width, height, focal_px, lens);
  return unit([x, -y, z]);
}

/** From the world to the camera's own base: a turned, leaning pole, or a camera that hangs. */
export function mountRotation(mount: Mount): Rotation {
  const { pan_deg, pitch_deg, roll_deg, ceiling } = mount;
  const lean = after(rollRotation(roll_deg), after(tiltRotation(pitch_deg), panRotation(pan_deg)));
  return ceiling ? after(rollRotation(180), lean) : lean;
}
