// The tools besides drawing: a click that turns the camera there, and trimming a
// zone on a preset. Each as pointer handlers for the picture and as keys.

import { useEffect, useRef } from "preact/hooks";
import { shiftTo } from "../geometry/trim";
import type { Pixel, TurningView } from "../geometry/types";
import type { Chart } from "../masks/chart";
import type { Preset } from "../masks/document";
import type { Edit, Editing } from "../masks/editing";
import { trimOf } from "../masks/presets";
import { distance } from "../masks/snap";
import type { Command } from "../steering/course";
import { pixelOf, STILL_PX } from "./pixel";
import { ARROWS, onDrawing, SHIFT_STEP } from "./useEditorKeys";

export type Tool = "zones" | "go" | "trim";

export interface ToolProps {
  tool: Tool;
  leave: () => void;
  chart: Chart | null;
  view: TurningView | null;
  scale: number;
  /** The preset that is trimmed. */
  preset: Preset | null;
  editing: Editing;
  dispatch: (edit: Edit) => void;
  send: ((what: Exclude<Command, { kind: "move" }>) => void) | null;
  cursor: Pixel | null;
  setCursor: (at: Pixel) => void;
}

/** Turns the camera to what is clicked. */
export function useGoPointer({ chart, scale, send, setCursor }: ToolProps) {
  const start = useRef<Pixel | null>(null);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (!chart || event.button !== 0 || !event.isPrimary) return;
      (event.currentTarget as SVGElement).focus({ preventScroll: true });
      start.current = pixelOf(event, chart);
    },
    onPointerMove: (event: PointerEvent) => {
      if (chart && event.isPrimary) setCursor(pixelOf(event, chart));
    },
    onPointerUp: (event: PointerEvent) => {
      const from = start.current;
      start.current = null;
      if (!chart || !from) return;
      const at = pixelOf(event, chart);
      if (distance(from, at) <= 2 * STILL_PX * scale) goTo(chart, at, send);
    },
    onPointerCancel: () => {
      start.current = null;
    },
  };
}

interface Drag {
  zone: string;
  start: Pixel;
  view: TurningView;
  trim: { pan_deg: number; tilt_deg: number };
  moved: boolean;
  gesture: string;
}

let gestures = 0;

/** Drags a zone to where it belongs on this preset. */
export function useTrimPointer({ chart, view, scale, preset, editing, dispatch }: ToolProps) {
  const drag = useRef<Drag | null>(null);
  const up = () => {
    if (drag.current?.moved) dispatch({ do: "settle" });
    drag.current = null;
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (!chart || !view || !preset || event.button !== 0 || !event.isPrimary) return;
      const target = event.currentTarget as SVGElement;
      target.focus({ preventScroll: true });
      const id = (event.target as Element).closest<SVGElement>("[data-zone]")?.dataset.zone ?? null;
      const zone = editing.document.zones.find((zone) => zone.id === id);
      dispatch({ do: "select", zone: zone?.id ?? null });
      if (zone?.shape.type !== "sphere") return;
      const gesture = `trim ${(gestures += 1)}`;
      drag.current = {
        zone: zone.id,
        start: pixelOf(event, chart),
        view,
        trim: trimOf(preset, zone.id),
        moved: false,
        gesture,
      };
      target.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const now = drag.current;
      if (!chart || !now || !preset || !event.isPrimary) return;
      const at = pixelOf(event, chart);
      now.moved ||= distance(at, now.start) > STILL_PX * scale;
      if (!now.moved) return;
      const shift = shiftTo(now.view, now.trim, now.start, at);
      if (shift) dispatch({ do: "trim", preset: preset.id, trim: { zone: now.zone, ...shift }, gesture: now.gesture });
    },
    onPointerUp: up,
    onPointerCancel: up,
  };
}

export function useToolKeys(props: ToolProps): void {
  const current = useRef(props);
  current.current = props;
  useEffect(() => {
    const held = { count: 0 };
    const pressed = (event: KeyboardEvent) => {
      const now = current.current;
      if (now.tool === "zones" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (event.ctrlKey || event.altKey || event.metaKey || !onDrawing(event)) return;
      if (!event.repeat) held.count += 1;
      const done = now.tool === "go" ? goes(event, now) : trims(event, now, `trim keys ${held.count}`);
      if (done) event.preventDefault();
    };
    // Before the editor's own: with a tool in hand no point moves.
    window.addEventListener("keydown", pressed, true);
    return () => window.removeEventListener("keydown", pressed, true);
  }, []);
}

function goTo(chart: Chart, at: Pixel, send: ToolProps["send"]): void {
  const point = chart.pointAt(at, "sphere");
  if ("pan_deg" in point) send?.({ kind: "toward", pan_deg: point.pan_deg, tilt_deg: point.tilt_deg });
}

function goes(event: KeyboardEvent, { chart, send, cursor, setCursor, leave }: ToolProps): boolean {
  const { key } = event;
  if (key === "Escape") return did(leave());
  if (!chart) return false;
  const at = cursor ?? { u: chart.width / 2, v: chart.height / 2 };
  if (key === "Enter" || key === " ") return did(goTo(chart, at, send));
  const arrow = ARROWS[key];
  if (!arrow) return false;
  const px = CROSS_STEP * (event.shiftKey ? SHIFT_STEP : 1);
  const within = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return did(setCursor({ u: within(at.u + px * arrow.u, chart.width), v: within(at.v + px * arrow.v, chart.height) }));
}

const CROSS_STEP = 8;

function trims(event: KeyboardEvent, props: ToolProps, gesture: string): boolean {
  const { chart, view, preset, editing, dispatch, leave } = props;
  const { key } = event;
  if (key === "Escape") return did(leave());
  if (key === "PageDown" || key === "PageUp") return did(choose(props, key === "PageDown" ? 1 : -1));
  const zone = editing.document.zones.find((zone) => zone.id === editing.zone);
  if (key === "Delete") {
    if (zone && preset) dispatch({ do: "trim-delete", preset: preset.id, zone: zone.id });
    return true;
  }
  const arrow = ARROWS[key];
  if (!arrow) return false;
  if (!chart || !view || !preset || zone?.shape.type !== "sphere") return true;
  const px = event.shiftKey ? SHIFT_STEP : 1;
  const middle = { u: chart.width / 2, v: chart.height / 2 };
  const to = { u: middle.u + px * arrow.u, v: middle.v + px * arrow.v };
  const shift = shiftTo(view, trimOf(preset, zone.id), middle, to);
  if (shift) dispatch({ do: "trim", preset: preset.id, trim: { zone: zone.id, ...shift }, gesture });
  return true;
}

/** The next zone that a trim can move. */
function choose({ editing, dispatch }: ToolProps, by: 1 | -1): void {
  const zones = editing.document.zones.filter(({ shape }) => shape.type === "sphere");
  if (zones.length === 0) return;
  const from = zones.findIndex(({ id }) => id === editing.zone);
  const next = zones[(Math.max(from, by > 0 ? -1 : 0) + by + zones.length) % zones.length];
  if (next) dispatch({ do: "select", zone: next.id });
}

function did(_: void): true {
  return true;
}
