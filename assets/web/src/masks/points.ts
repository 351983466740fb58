// Moving points without a picture: the same wherever the camera looks.

import { apply, directionOf, turn, unit, vectorOf } from "../geometry/vector";
import { isSphere, withPoints, type Point, type Shape } from "./document";

/** The point halfway along the edge from `a` to `b`. */
export function halfway(a: Point, b: Point): Point {
  if (isSphere(a) && isSphere(b)) {
    const [p, q] = [vectorOf(a), vectorOf(b)];
    return directionOf(unit([p[0] + q[0], p[1] + q[1], p[2] + q[2]]));
  }
  if (isSphere(a) || isSphere(b)) return a;
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** The whole shape moved so that what was at `from` comes to `to`; on the sphere it is turned there. */
export function carried(shape: Shape, from: Point, to: Point): Shape {
  if (shape.type === "sphere") {
    if (!isSphere(from) || !isSphere(to)) return shape;
    const rotation = turn(vectorOf(from), vectorOf(to));
    return withPoints(
      shape,
      shape.points.map((point) => directionOf(apply(rotation, vectorOf(point)))),
    );
  }
  if (isSphere(from) || isSphere(to)) return shape;
  return withPoints(
    shape,
    shape.points.map(({ x, y }) => ({ x: x + to.x - from.x, y: y + to.y - from.y })),
  );
}
