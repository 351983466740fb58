// What one does to a document, step by step, so that each step can be undone.
// Pure: knows neither pictures nor the page.

import {
  FEWEST_POINTS,
  freeId,
  LONGEST_TEXT,
  stored,
  withoutZone,
  withPoints,
  withZones,
  type MaskDocument,
  type Mode,
  type Point,
  type Shape,
  type ShapeType,
  type Zone,
} from "./document";
import { changePresets, type PresetEdit } from "./presets";

export interface Editing {
  document: MaskDocument;
  past: readonly MaskDocument[];
  future: readonly MaskDocument[];
  /** Steps with the same name in a row are one step: a drag, a held key, a word typed. */
  gesture: string | null;
  zone: string | null;
  point: number | null;
  drawing: { type: ShapeType; points: readonly Point[] } | null;
}

export type Edit =
  | { do: "load"; document: MaskDocument }
  /** Puts another document in place, as one step. */
  | { do: "replace"; document: MaskDocument }
  | { do: "select"; zone: string | null; point?: number | null }
  | { do: "draw"; type: ShapeType }
  | { do: "draw-point"; point: Point }
  | { do: "draw-back" }
  | { do: "draw-cancel" }
  | { do: "draw-close" }
  | { do: "move-point"; point: Point; gesture: string }
  | { do: "reshape"; zone: string; shape: Shape; gesture: string }
  | { do: "insert-point"; zone: string; after: number; point: Point; gesture?: string }
  | { do: "delete-point" }
  | { do: "delete-zone" }
  | { do: "rename"; zone: string; name: string }
  | { do: "mode"; zone: string; mode: Mode }
  | { do: "explain"; nothingPrivate: string }
  | PresetEdit
  | { do: "settle" }
  | { do: "undo" }
  | { do: "redo" };

const LONGEST_PAST = 200;

export function begin(document: MaskDocument): Editing {
  return { document, past: [], future: [], gesture: null, zone: null, point: null, drawing: null };
}

export function selectedZone(state: Editing): Zone | null {
  return state.document.zones.find((zone) => zone.id === state.zone) ?? null;
}

export function edit(state: Editing, action: Edit): Editing {
  switch (action.do) {
    case "load":
      return begin(action.document);
    case "replace":
      return changed({ ...state, drawing: null }, action.document);
    case "select":
      return inReach({ ...state, zone: action.zone, point: action.point ?? null, gesture: null });
    case "draw":
      return { ...state, drawing: { type: action.type, points: [] }, zone: null, point: null, gesture: null };
    case "draw-point":
      return drawPoint(state, action.point);
    case "draw-back":
      return state.drawing
        ? { ...state, drawing: { ...state.drawing, points: state.drawing.points.slice(0, -1) } }
        : state;
    case "draw-cancel":
      return { ...state, drawing: null };
    case "draw-close":
      return drawClose(state);
    case "settle":
      return { ...state, gesture: null };
    case "undo":
      return state.drawing
        ? edit(state, { do: state.drawing.points.length > 0 ? "draw-back" : "draw-cancel" })
        : undo(state);
    case "redo":
      return state.drawing ? state : redo(state);
    case "preset-add":
    case "preset-move":
    case "preset-rename":
    case "preset-delete":
    case "trim":
    case "trim-delete":
    case "trims-copy": {
      const { document, gesture } = changePresets(state.document, action);
      return document === state.document ? state : changed(state, document, gesture);
    }
    default:
      return change(state, action);
  }
}

type Change = Extract<
  Edit,
  { do: "move-point" | "reshape" | "insert-point" | "delete-point" | "delete-zone" | "rename" | "mode" | "explain" }
>;

function change(state: Editing, action: Change): Editing {
  const { document } = state;
  switch (action.do) {
    case "move-point": {
      const { point } = state;
      if (point === null) return state;
      const put = (zone: Zone) =>
        reshaped(
          zone,
          zone.shape.points.map((old, i) => (i === point ? action.point : old)),
        );
      return changed(state, withZone(document, state.zone, put), action.gesture);
    }
    case "reshape":
      return changed(
        state,
        withZone(document, action.zone, (zone) => ({ ...zone, shape: action.shape })),
        action.gesture,
      );
    case "insert-point": {
      const next = withZone(document, action.zone, (zone) =>
        reshaped(zone, [
          ...zone.shape.points.slice(0, action.after + 1),
          action.point,
          ...zone.shape.points.slice(action.after + 1),
        ]),
      );
      return { ...changed(state, next, action.gesture), zone: action.zone, point: action.after + 1 };
    }
    case "delete-point": {
      const zone = selectedZone(state);
      const { point } = state;
      if (!zone || point === null || zone.shape.points.length <= FEWEST_POINTS) return state;
      const left = zone.shape.points.filter((_, i) => i !== point);
      const next = withZone(document, zone.id, (zone) => reshaped(zone, left));
      return { ...changed(state, next), point: Math.min(point, left.length - 1) };
    }
    case "delete-zone":
      if (!selectedZone(state)) return state;
      return { ...changed(state, withoutZone(document, state.zone ?? "")), zone: null, point: null };
    case "rename": {
      const name = action.name.slice(0, LONGEST_TEXT);
      const put = ({ name: _, ...zone }: Zone): Zone => (name.trim() === "" ? zone : { ...zone, name });
      return changed(state, withZone(document, action.zone, put), `name ${action.zone}`);
    }
    case "mode":
      return changed(
        state,
        withZone(document, action.zone, (zone) => ({ ...zone, mode: action.mode })),
      );
    case "explain": {
      if (document.zones.length > 0) return state;
      const nothing_private = action.nothingPrivate.slice(0, LONGEST_TEXT);
      return changed(state, { ...document, nothing_private }, "explain");
    }
  }
}

function reshaped(zone: Zone, points: readonly Point[]): Zone {
  return { ...zone, shape: withPoints(zone.shape, points) };
}

function withZone(document: MaskDocument, id: string | null, put: (zone: Zone) => Zone): MaskDocument {
  return withZones(
    document,
    document.zones.map((zone) => (zone.id === id ? put(zone) : zone)),
  );
}

function drawPoint(state: Editing, point: Point): Editing {
  const { drawing } = state;
  return drawing ? { ...state, drawing: { ...drawing, points: [...drawing.points, stored(point)] } } : state;
}

function drawClose(state: Editing): Editing {
  const { drawing, document } = state;
  if (!drawing || drawing.points.length < FEWEST_POINTS) return state;
  const shape = withPoints({ type: drawing.type, points: [] }, drawing.points);
  const zone: Zone = { id: freeId(document), mode: "hide", shape };
  const next = changed(state, withZones(document, [...document.zones, zone]));
  return { ...next, zone: zone.id, point: null, drawing: null };
}

/** The next document; it joins the step before when that was the same gesture. */
function changed(state: Editing, document: MaskDocument, gesture: string | null = null): Editing {
  const joins = gesture !== null && gesture === state.gesture;
  const past = joins ? state.past : [...state.past, state.document].slice(-LONGEST_PAST);
  return { ...state, document, past, future: [], gesture };
}

function undo(state: Editing): Editing {
  const document = state.past[state.past.length - 1];
  if (!document) return state;
  const future = [state.document, ...state.future];
  return inReach({ ...state, document, past: state.past.slice(0, -1), future, gesture: null });
}

function redo(state: Editing): Editing {
  const [document, ...future] = state.future;
  if (!document) return state;
  return inReach({ ...state, document, past: [...state.past, state.document], future, gesture: null });
}

/** What is selected may be gone. */
function inReach(state: Editing): Editing {
  const zone = selectedZone(state);
  if (!zone) return { ...state, zone: null, point: null };
  const point = state.point !== null && state.point < zone.shape.points.length ? state.point : null;
  return { ...state, point };
}
