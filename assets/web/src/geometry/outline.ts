// A polygon of directions as it lies in a camera's picture: edges follow their
// great circles, and what is behind the camera or far outside is cut away.

import { NEAR_Z, type Camera } from "./camera";
import type { Pixel, SpherePoint } from "./types";
import { arc, dot, vectorOf, type Vector } from "./vector";

/** An edge drawn corner to corner is off by 11 to 13 px over 20° at tilts of 30 to 60°. */
export const EDGE_STEP_DEG = 0.5;

/** How far beyond the frame outlines are kept, in frames. */
const BEYOND = 1;

/** Points are never changed in place, so what is made of them can be kept. */
const made = new WeakMap<readonly SpherePoint[], Vector[][]>();

/** Every edge in steps of at most 0.5°, with its first point, without its last. */
export function edgeVectors(points: readonly SpherePoint[]): Vector[][] {
  let edges = made.get(points);
  if (!edges) {
    const corners = points.map(vectorOf);
    edges = corners.map((corner, i) => arc(corner, corners[(i + 1) % corners.length] ?? corner, EDGE_STEP_DEG));
    made.set(points, edges);
  }
  return edges;
}

/** The closed outline in the picture, empty where nothing of it is near the frame. */
export function outlineInPicture(points: readonly SpherePoint[], camera: Camera): Pixel[] {
  let outline = edgeVectors(points).flat().map(camera.toCamera);
  for (const side of sides(camera)) outline = clip(outline, side);
  return outline.filter(([, , z]) => z > 0).map(camera.pixel);
}

/** Each edge as a line in the picture, broken off where it goes behind the camera. */
export function edgesInPicture(points: readonly SpherePoint[], camera: Camera): Pixel[][] {
  const edges = edgeVectors(points);
  return edges.map((edge, i) => {
    const next = edges[(i + 1) % edges.length]?.[0];
    const line = (next ? [...edge, next] : edge).map(camera.toCamera);
    return line.filter(([, , z]) => z >= NEAR_Z).map(camera.pixel);
  });
}

/** Inward normals of the near plane and of a pyramid around the frame. */
function sides({ width, height, focal_px, lens }: Camera): Vector[] {
  const reach = (side: number) => lens.undistort(((0.5 + BEYOND) * side) / focal_px);
  const [x, y] = [reach(width), reach(height)];
  return [
    [0, 0, 1],
    [1, 0, x],
    [-1, 0, x],
    [0, 1, y],
    [0, -1, y],
  ];
}

/** Keeps what lies on the side of `normal` (Sutherland and Hodgman, 1974). */
export function clip(outline: readonly Vector[], normal: Vector): Vector[] {
  const kept: Vector[] = [];
  let a = outline[outline.length - 1];
  if (!a) return kept;
  let sideA = dot(normal, a);
  for (const b of outline) {
    const sideB = dot(normal, b);
    if (sideA >= 0 !== sideB >= 0) {
      const t = sideA / (sideA - sideB);
      kept.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])]);
    }
    if (sideB >= 0) kept.push(b);
    [a, sideA] = [b, sideB];
  }
  return kept;
}
