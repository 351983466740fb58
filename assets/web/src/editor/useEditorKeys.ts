// The editor's keys. Those of the whole page work anywhere but in fields; arrow
// keys and the like only where the drawing area or a point of the list has the focus.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Pixel } from "../geometry/types";
import type { Chart } from "../masks/chart";
import type { Point } from "../masks/document";
import { selectedZone, type Edit, type Editing } from "../masks/editing";
import { carried } from "../masks/points";

interface Props {
  chart: Chart | null;
  /** Whether the picture may be drawn on now. */
  may: boolean;
  editing: Editing;
  dispatch: (edit: Edit) => void;
  draw: () => void;
  save: () => void;
  cursor: Pixel | null;
  setCursor: (at: Pixel) => void;
}

export const ARROWS: Record<string, Pixel> = {
  ArrowLeft: { u: -1, v: 0 },
  ArrowRight: { u: 1, v: 0 },
  ArrowUp: { u: 0, v: -1 },
  ArrowDown: { u: 0, v: 1 },
};
export const SHIFT_STEP = 10;
/** A cross held on its way goes faster. */
const HELD_STEP = 4;

export function useEditorKeys(props: Props): void {
  const current = useRef(props);
  current.current = props;
  const [gesture] = useState(() => ({ name: "", count: 0 }));
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (handle(event, current.current, gesture)) event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [gesture]);
}

function handle(event: KeyboardEvent, props: Props, gesture: { name: string; count: number }): boolean {
  const { editing, dispatch } = props;
  const target = event.target instanceof Element ? event.target : document.body;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && key === "s") return done(props.save());
  if (target.closest("input, textarea, select")) return false;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return done(dispatch({ do: event.shiftKey ? "redo" : "undo" }));
    if (key === "y") return done(dispatch({ do: "redo" }));
    return false;
  }
  const drawing = editing.drawing !== null;
  if (key === "n" && !drawing) return done(props.draw());
  if (key === "Escape") return escape(editing, dispatch);
  if (key === "Backspace" && drawing) return done(dispatch({ do: "draw-back" }));
  if (!onDrawing(event)) return false;
  if (drawing) return draws(event, props);
  if (key === "Delete") return done(dispatch({ do: editing.point === null ? "delete-zone" : "delete-point" }));
  if (key === "PageDown" || key === "PageUp") return step(editing, dispatch, key === "PageDown" ? 1 : -1);
  const arrow = ARROWS[key];
  if (!arrow) return false;
  if (!event.repeat) gesture.count += 1;
  // Each held key is one step to undo.
  return nudge(arrow, event.shiftKey ? SHIFT_STEP : 1, props, `keys ${gesture.count}`);
}

/** Whether a key belongs to the drawing: not to a field, a button or a zone that is one. */
export function onDrawing({ target }: KeyboardEvent): boolean {
  if (!(target instanceof Element) || target === document.body) return true;
  const here = target.closest("[data-editing]") !== null;
  return here && !target.closest("[data-zone][role], input, textarea, select");
}

function done(_: void): true {
  return true;
}

function escape(editing: Editing, dispatch: Props["dispatch"]): boolean {
  if (editing.drawing) dispatch({ do: "draw-cancel" });
  else if (editing.point !== null) dispatch({ do: "select", zone: editing.zone });
  else if (editing.zone !== null) dispatch({ do: "select", zone: null });
  else return false;
  return true;
}

function draws(event: KeyboardEvent, { chart, may, editing, dispatch, cursor, setCursor }: Props): boolean {
  if (!chart || !editing.drawing) return false;
  if (event.key === "Enter") return done(dispatch({ do: "draw-close" }));
  const at = cursor ?? { u: chart.width / 2, v: chart.height / 2 };
  if (event.key === " ") {
    if (may) dispatch({ do: "draw-point", point: chart.pointAt(at, editing.drawing.type) });
    return true;
  }
  const arrow = ARROWS[event.key];
  if (!arrow) return false;
  const px = (event.shiftKey ? SHIFT_STEP : 1) * (event.repeat ? HELD_STEP : 1);
  const within = (value: number, most: number) => Math.max(0, Math.min(most, value));
  setCursor({ u: within(at.u + px * arrow.u, chart.width), v: within(at.v + px * arrow.v, chart.height) });
  return true;
}

function step(editing: Editing, dispatch: Props["dispatch"], by: number): boolean {
  const count = selectedZone(editing)?.shape.points.length;
  if (!count) return false;
  const from = editing.point ?? (by > 0 ? -1 : 0);
  dispatch({ do: "select", zone: editing.zone, point: (from + by + count) % count });
  return true;
}

/** Moves the selected point, or else the zone, by pixels of the picture. */
function nudge(arrow: Pixel, px: number, { chart, may, editing, dispatch }: Props, gesture: string): boolean {
  const zone = selectedZone(editing);
  if (!zone) return false;
  if (!chart || !may) return true;
  const { shape } = zone;
  const by = (at: Pixel) => ({ u: at.u + px * arrow.u, v: at.v + px * arrow.v });
  const point: Point | undefined = editing.point === null ? undefined : shape.points[editing.point];
  const place = point ? chart.place(point) : null;
  if (point) {
    if (!place) return true;
    dispatch({ do: "move-point", point: chart.pointAt(by(place), shape.type), gesture });
    return true;
  }
  const anchor = shape.points.map(chart.place).find((at) => at !== null) ?? { u: chart.width / 2, v: chart.height / 2 };
  const [from, to] = [chart.pointAt(anchor, shape.type), chart.pointAt(by(anchor), shape.type)];
  dispatch({ do: "reshape", zone: zone.id, shape: carried(shape, from, to), gesture });
  return true;
}
