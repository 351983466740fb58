// Mouse, pen and finger on the picture, as steps of the editing.

import { useRef } from "preact/hooks";
import type { Pixel } from "../geometry/types";
import type { Chart } from "../masks/chart";
import type { Point, Shape, ShapeType } from "../masks/document";
import { selectedZone, type Edit, type Editing } from "../masks/editing";
import { carried, halfway } from "../masks/points";
import { distance, snap, SNAP_PX, targetsOf, type Targets } from "../masks/snap";
import { pixelOf, STILL_PX } from "./pixel";

interface Props {
  chart: Chart | null;
  editing: Editing;
  dispatch: (edit: Edit) => void;
  scale: number;
  setCursor: (at: Pixel) => void;
}

type Drag = { gesture: string; start: Pixel; moved: boolean; targets: Targets } & (
  { what: "point"; type: ShapeType; offset: Pixel } | { what: "zone"; zone: string; shape: Shape; from: Point }
);

let gestures = 0;

export function usePointer({ chart, editing, dispatch, scale, setCursor }: Props) {
  const drag = useRef<Drag | null>(null);

  /** Where a point goes that is put at `at`. */
  const put = (
    chart: Chart,
    at: Pixel,
    type: ShapeType,
    targets: Targets,
    free: boolean,
  ): { at: Pixel; point: Point } => {
    const caught = free ? null : snap(at, targets, SNAP_PX * scale);
    const place = caught?.at ?? at;
    return { at: place, point: caught?.point ?? chart.pointAt(place, type) };
  };

  const down = (event: PointerEvent) => {
    if (!chart || event.button !== 0 || !event.isPrimary) return;
    const target = event.currentTarget as SVGElement;
    target.focus({ preventScroll: true });
    const at = pixelOf(event, chart);
    if (editing.drawing) return corner(chart, at, event.altKey);
    const grip = event.target as Element;
    const data = grip.closest<SVGElement>("[data-point], [data-after], [data-zone]")?.dataset ?? {};
    const zone = selectedZone(editing);
    const begin = { gesture: `drag ${(gestures += 1)}`, start: at, moved: false };
    if (zone && (data.point !== undefined || data.after !== undefined)) {
      let index = Number(data.point);
      if (data.after !== undefined) {
        const after = Number(data.after);
        const [a, b] = [zone.shape.points[after], zone.shape.points[(after + 1) % zone.shape.points.length]];
        if (!a || !b) return;
        dispatch({ do: "insert-point", zone: zone.id, after, point: halfway(a, b), gesture: begin.gesture });
        index = after + 1;
      } else {
        dispatch({ do: "select", zone: zone.id, point: index });
      }
      const point = data.after === undefined ? zone.shape.points[index] : undefined;
      const place = point ? chart.place(point) : null;
      const offset = place ? { u: place.u - at.u, v: place.v - at.v } : { u: 0, v: 0 };
      const { type } = zone.shape;
      drag.current = {
        ...begin,
        what: "point",
        type,
        offset,
        targets: targetsOf(editing.document, chart, type, zone.id),
      };
    } else if (data.zone !== undefined) {
      // Only a zone that is selected already moves: nobody shifts one by looking at it.
      if (zone?.id === data.zone) {
        const { shape } = zone;
        const from = chart.pointAt(at, shape.type);
        const targets = targetsOf(editing.document, chart, shape.type, zone.id);
        drag.current = { ...begin, what: "zone", zone: zone.id, shape, from, targets };
      }
      dispatch({ do: "select", zone: data.zone });
    } else {
      dispatch({ do: "select", zone: null });
    }
    if (drag.current) target.setPointerCapture(event.pointerId);
  };

  const corner = (chart: Chart, at: Pixel, free: boolean) => {
    const { drawing } = editing;
    if (!drawing) return;
    const [first, last] = [drawing.points[0], drawing.points[drawing.points.length - 1]];
    const near = (point: Point | undefined, px: number) => {
      const place = point ? chart.place(point) : null;
      return place !== null && distance(place, at) <= px * scale;
    };
    if (drawing.points.length >= 3 && near(first, SNAP_PX)) return dispatch({ do: "draw-close" });
    // The second click of a double click lies where the first one was.
    if (near(last, STILL_PX)) return;
    const placed = put(chart, at, drawing.type, targetsOf(editing.document, chart, drawing.type, null), free);
    setCursor(placed.at);
    dispatch({ do: "draw-point", point: placed.point });
  };

  const move = (event: PointerEvent) => {
    if (!chart || !event.isPrimary) return;
    const at = pixelOf(event, chart);
    if (editing.drawing) {
      const targets = targetsOf(editing.document, chart, editing.drawing.type, null);
      return setCursor(put(chart, at, editing.drawing.type, targets, event.altKey).at);
    }
    const now = drag.current;
    if (!now) return;
    now.moved ||= distance(at, now.start) > STILL_PX * scale;
    if (!now.moved) return;
    if (now.what === "point") {
      const wanted = { u: at.u + now.offset.u, v: at.v + now.offset.v };
      const { point } = put(chart, wanted, now.type, now.targets, event.altKey);
      return dispatch({ do: "move-point", point, gesture: now.gesture });
    }
    const moved = (to: Pixel) => carried(now.shape, now.from, chart.pointAt(to, now.shape.type));
    const slip = event.altKey ? null : slipTo(chart, moved(at), now.targets, SNAP_PX * scale);
    const to = slip ? { u: at.u + slip.u, v: at.v + slip.v } : at;
    dispatch({ do: "reshape", zone: now.zone, shape: moved(to), gesture: now.gesture });
  };

  const up = () => {
    if (drag.current?.moved) dispatch({ do: "settle" });
    drag.current = null;
  };
  const doubled = () => {
    if (editing.drawing) dispatch({ do: "draw-close" });
  };
  return { onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: up, onDblClick: doubled };
}

/** How far a whole zone has to slip so that one of its points meets a neighbour. */
function slipTo(chart: Chart, shape: Shape, targets: Targets, radius: number): Pixel | null {
  let [best, reach] = [null as Pixel | null, radius];
  for (const point of shape.points) {
    const at = chart.place(point);
    const caught = at && snap(at, targets, reach);
    if (!at || !caught) continue;
    const far = distance(at, caught.at);
    if (far < reach || !best) [best, reach] = [{ u: caught.at.u - at.u, v: caught.at.v - at.v }, far];
  }
  return best;
}
