// Where the document's points lie in the picture as it is now, and back. The
// editor draws and edits through this and knows neither cameras nor spheres.

import { cameraOf } from "../geometry/camera";
import { edgesInPicture, outlineInPicture } from "../geometry/outline";
import { outlinesInPanorama, PANORAMA } from "../geometry/panorama";
import type { Pixel, ViewMessage } from "../geometry/types";
import { isSphere, type Point, type Shape, type ShapeType } from "./document";

/** What zones can be drawn on. */
export interface Sheet {
  width: number;
  height: number;
  /** Closed outlines; none where the shape cannot be seen here. */
  outlines: (shape: Shape) => Pixel[][];
}

export interface Chart extends Sheet {
  /** What new zones are made of. */
  fresh: ShapeType;
  /** None where the point cannot be seen, as behind the camera. */
  place: (point: Point) => Pixel | null;
  pointAt: (at: Pixel, type: ShapeType) => Point;
  /** Each edge as a line, first the one from the first point to the second. */
  edges: (shape: Shape) => Pixel[][];
}

/** Throws for numbers that are no view. */
export function chartOf(view: ViewMessage): Chart {
  return view.kind === "turning" ? turningChart(view) : pictureChart(...view.size);
}

function turningChart(view: Extract<ViewMessage, { kind: "turning" }>): Chart {
  const camera = cameraOf(view);
  const flat = pictureChart(...view.size);
  // The picture and the list both ask for each shape's outline.
  const made = new WeakMap<Shape, Pixel[][]>();
  const outlines = (shape: Shape) => {
    let outline = made.get(shape);
    if (!outline) {
      outline = shape.type === "sphere" ? nonEmpty(outlineInPicture(shape.points, camera)) : flat.outlines(shape);
      made.set(shape, outline);
    }
    return outline;
  };
  return {
    width: camera.width,
    height: camera.height,
    fresh: "sphere",
    outlines,
    place: (point) => (isSphere(point) ? camera.project(point) : flat.place(point)),
    pointAt: (at, type) => (type === "sphere" ? camera.unproject(at) : flat.pointAt(at, type)),
    edges: (shape) => (shape.type === "sphere" ? edgesInPicture(shape.points, camera) : flat.edges(shape)),
  };
}

/** A picture in which only points of the picture have a place. */
export function pictureChart(width: number, height: number): Chart {
  if (!(width > 0 && height > 0)) throw new RangeError("not a picture");
  const place = (point: Point) => (isSphere(point) ? null : { u: point.x * width, v: point.y * height });
  const places = (shape: Shape) => shape.points.map(place).filter((at) => at !== null);
  return {
    width,
    height,
    fresh: "image",
    place,
    outlines: (shape) => nonEmpty(places(shape)),
    pointAt: ({ u, v }) => ({ x: u / width, y: v / height }),
    edges: (shape) => places(shape).map((a, i, all) => [a, all[(i + 1) % all.length] ?? a]),
  };
}

/** The sphere unrolled; points of the picture have no place on it. */
export const PANORAMA_SHEET: Sheet = {
  ...PANORAMA,
  outlines: (shape) => (shape.type === "sphere" ? outlinesInPanorama(shape.points) : []),
};

function nonEmpty(outline: Pixel[]): Pixel[][] {
  return outline.length >= 3 ? [outline] : [];
}
