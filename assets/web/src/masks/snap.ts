// Points of a zone catch at points and edges of its neighbours, so that no
// strip stays clear between two zones.

import type { Pixel } from "../geometry/types";
import type { Chart } from "./chart";
import type { MaskDocument, Point, ShapeType } from "./document";

/** On the screen, not in the picture. */
export const SNAP_PX = 8;

export interface Targets {
  points: { at: Pixel; point: Point }[];
  lines: Pixel[][];
}

export interface Caught {
  at: Pixel;
  /** The neighbour's very point; else the point belongs where `at` is. */
  point: Point | null;
}

/** What a point of a zone of `type` may catch at; `except` is the zone it belongs to. */
export function targetsOf(document: MaskDocument, chart: Chart, type: ShapeType, except: string | null): Targets {
  const zones = document.zones.filter((zone) => zone.id !== except && zone.shape.type === type);
  const points = zones.flatMap((zone) =>
    zone.shape.points.flatMap((point) => {
      const at = chart.place(point);
      return at ? [{ at, point }] : [];
    }),
  );
  return { points, lines: zones.flatMap((zone) => chart.edges(zone.shape)) };
}

/** A point comes before an edge, the nearest first; none within `radius`. */
export function snap(at: Pixel, targets: Targets, radius: number): Caught | null {
  let best: Caught | null = null;
  let reach = radius;
  for (const target of targets.points) {
    const far = distance(at, target.at);
    if (far <= reach) [best, reach] = [{ ...target }, far];
  }
  if (best) return best;
  for (const line of targets.lines) {
    line.slice(1).forEach((b, i) => {
      const foot = nearestOn(at, line[i] ?? b, b);
      const far = distance(at, foot);
      if (far <= reach) [best, reach] = [{ at: foot, point: null }, far];
    });
  }
  return best;
}

export function distance(a: Pixel, b: Pixel): number {
  return Math.hypot(a.u - b.u, a.v - b.v);
}

function nearestOn(at: Pixel, a: Pixel, b: Pixel): Pixel {
  const [du, dv] = [b.u - a.u, b.v - a.v];
  const length = du * du + dv * dv;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((at.u - a.u) * du + (at.v - a.v) * dv) / length));
  return { u: a.u + t * du, v: a.v + t * dv };
}
