// The zone document, format 1, as the gateway keeps it.

import type { PicturePoint, SpherePoint } from "../geometry/types";
import { nearestTurn } from "../geometry/vector";

export type Point = SpherePoint | PicturePoint;
export type Shape = { type: "sphere"; points: SpherePoint[] } | { type: "image"; points: PicturePoint[] };
export type ShapeType = Shape["type"];
export type Mode = "hide" | "show-only";

export interface Zone {
  id: string;
  name?: string;
  mode: Mode;
  shape: Shape;
}

export type SphereZone = Zone & { shape: { type: "sphere" } };

export interface Trim {
  zone: string;
  pan_deg: number;
  tilt_deg: number;
}

export interface Preset {
  id: string;
  name?: string;
  pan_deg: number;
  tilt_deg: number;
  zoom: number;
  trims?: Trim[];
}

export interface MaskDocument {
  format: 1;
  camera: string;
  /** Why there are no zones; needed then, and only allowed then. */
  nothing_private?: string;
  zones: Zone[];
  presets?: Preset[];
}

export const FEWEST_POINTS = 3;
export const LONGEST_TEXT = 200;

export function zoneName(zone: Zone): string {
  return zone.name ?? zone.id;
}

export function isSphere(point: Point): point is SpherePoint {
  return "pan_deg" in point;
}

/** The same zones' document with others; with zones there is nothing to explain any more. */
export function withZones(document: MaskDocument, zones: Zone[]): MaskDocument {
  const { nothing_private, ...rest } = document;
  const keep = zones.length === 0 && nothing_private !== undefined;
  return keep ? { ...rest, nothing_private, zones } : { ...rest, zones };
}

/** Without one zone, and without the trims that would correct it: they would name nothing. */
export function withoutZone(document: MaskDocument, id: string): MaskDocument {
  const zones = document.zones.filter((zone) => zone.id !== id);
  const presets = document.presets?.map((preset) =>
    preset.trims?.some((trim) => trim.zone === id)
      ? { ...preset, trims: preset.trims.filter((trim) => trim.zone !== id) }
      : preset,
  );
  return withZones(presets ? { ...document, presets } : document, zones);
}

export function withPoints(shape: Shape, points: readonly Point[]): Shape {
  // One shape's points are of one kind: whoever adds one asks the chart for that kind.
  return { type: shape.type, points: points.map(stored) } as Shape;
}

export function presetName(preset: Preset): string {
  return preset.name ?? preset.id;
}

/** The first `zone-1`, `zone-2`… that is free. */
export function freeId(document: MaskDocument): string {
  const taken = new Set(document.zones.map((zone) => zone.id));
  for (let n = 1; ; n += 1) {
    if (!taken.has(`zone-${n}`)) return `zone-${n}`;
  }
}

/** A point as it is written down: at most six decimals, inside what format 1 allows. */
export function stored(point: Point): Point {
  if (isSphere(point)) {
    const within = point.pan_deg >= -360 && point.pan_deg <= 360;
    const pan = within ? point.pan_deg : nearestTurn(point.pan_deg, 0);
    return { pan_deg: sixDecimals(pan), tilt_deg: sixDecimals(clamp(point.tilt_deg, -90, 90)) };
  }
  return { x: sixDecimals(clamp(point.x, -1, 2)), y: sixDecimals(clamp(point.y, -1, 2)) };
}

export function sixDecimals(value: number): number {
  // Without the sum, −0 would stay what it is.
  return Math.round(value * 1e6) / 1e6 + 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

export function same(a: MaskDocument, b: MaskDocument): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
