// Whether a zone's edges cross: the gateway refuses such a zone, and one wants
// to see that while drawing.

import { cross, dot, vectorOf, type Vector } from "../geometry/vector";
import { isSphere, type Shape } from "./document";

/** Comparing all edges with all others takes too long for more; then only the gateway says it. */
const MOST_POINTS = 400;

const known = new WeakMap<Shape, boolean>();

export function crossesItself(shape: Shape): boolean {
  let crosses = known.get(shape);
  if (crosses === undefined) {
    crosses = shape.points.length <= MOST_POINTS && anyCrossing(vectors(shape));
    known.set(shape, crosses);
  }
  return crosses;
}

/** Seen from the middle of a sphere, straight lines of a picture are great circles too. */
function vectors(shape: Shape): Vector[] {
  return shape.points.map((point): Vector => (isSphere(point) ? vectorOf(point) : [point.x - 0.5, point.y - 0.5, 1]));
}

function anyCrossing(corners: readonly Vector[]): boolean {
  const edges = corners.map((a, i) => [a, corners[(i + 1) % corners.length] ?? a] as const);
  return edges.some(([a, b], i) =>
    edges.slice(i + 2).some(([c, d], k) => {
      const neighbours = i === 0 && i + 2 + k === edges.length - 1;
      return !neighbours && edgesCross(a, b, c, d);
    }),
  );
}

/** Whether the arcs from `a` to `b` and from `c` to `d`, each shorter than half a circle, have a point in common. */
function edgesCross(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  const [ab, cd] = [cross(a, b), cross(c, d)];
  const [sideC, sideD, sideA, sideB] = [dot(ab, c), dot(ab, d), dot(cd, a), dot(cd, b)];
  // The last two keep arcs apart that only meet on the far side of the sphere.
  return sideC * sideD <= 0 && sideA * sideB <= 0 && sideC * sideB >= 0 && dot(add(a, b), add(c, d)) > 0;
}

function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}
