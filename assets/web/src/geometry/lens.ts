// Radial lens distortion, as the gateway's own geometry has it: a point at
// radius r of the undistorted picture (focal length 1) is seen at
// r · (1 + k1·r² + k2·r⁴) (the radial part of the Brown–Conrady model). Beyond
// the radius of the frame's corners it goes on as a straight line, so that it
// is one-to-one on the whole plane.

export interface Lens {
  /** From the undistorted radius to the seen one. */
  distort: (radius: number) => number;
  /** Back. */
  undistort: (radius: number) => number;
}

/** Below this local stretch the polynomial is about to fold back. */
const MIN_STRETCH = 0.05;
const FIELD_STEPS = 64;

const STRAIGHT: Lens = { distort: (radius) => radius, undistort: (radius) => radius };

/** `corner` is the radius of the frame's corner as seen, focal length 1. Throws for what is no lens. */
export function lensOf(k1: number, k2: number, corner: number): Lens {
  if (k1 === 0 && k2 === 0) return STRAIGHT;
  const seen = (r: number) => r * (1 + r * r * (k1 + k2 * r * r));
  const stretch = (r: number) => 1 + r * r * (3 * k1 + 5 * k2 * r * r);
  let [low, high] = [0, 0];
  for (let i = 0; i < 16 * FIELD_STEPS && seen(high) < corner; i += 1) {
    low = high;
    high += corner / FIELD_STEPS;
    if (!(stretch(high) >= MIN_STRETCH)) throw new RangeError("the distortion folds back inside the frame");
  }
  if (!(seen(high) >= corner)) throw new RangeError("the distortion never reaches the frame's corner");
  const edge = bisect(seen, corner, low, high);
  const slope = stretch(edge);
  return {
    distort: (r) => (r <= edge ? seen(r) : corner + slope * (r - edge)),
    undistort: (r) => (r >= corner ? edge + (r - corner) / slope : bisect(seen, r, 0, edge)),
  };
}

/** Where the increasing `f` is `value`, between `low` and `high`. */
function bisect(f: (x: number) => number, value: number, low: number, high: number): number {
  for (let i = 0; i < 60; i += 1) {
    const middle = 0.5 * (low + high);
    if (f(middle) < value) low = middle;
    else high = middle;
  }
  return high;
}
