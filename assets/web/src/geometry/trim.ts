// Where trims put a zone while the camera comes to a preset, as the gateway
// has it (src/zone/trim.rs). A zone has a leading end, which moves to the
// trimmed place first, and a trailing one, which follows; it is hidden at both
// and everywhere between. And back: which trim brings a place under the hand.

import { rayOf } from "./camera";
import type { Pixel, TurningView } from "./types";
import { apply, DEG, directionOf, nearestTurn, rollRotation, tiltRotation, transpose, type Vector } from "./vector";

/** From here on inwards the leading end moves, degrees from the preset. */
const FADE_DEG = 2;
/** Here it has arrived and the trailing end sets out. */
export const NEAR_DEG = 0.25;
/** Here the trailing end has arrived. */
const SETTLED_DEG = 0.05;

/** How far a zone is turned: to the right, and upwards. */
export interface Shift {
  pan_deg: number;
  tilt_deg: number;
}

interface Place {
  pan_deg: number;
  tilt_deg: number;
}

/** The larger of the distances in pan and in tilt; infinite for what is no number. */
export function distanceDeg(a: Place, b: Place): number {
  const apart = a.pan_deg - b.pan_deg + 180;
  const pan = apart - 360 * Math.floor(apart / 360) - 180;
  const far = Math.max(Math.abs(pan), Math.abs(a.tilt_deg - b.tilt_deg));
  return Number.isFinite(far) ? far : Number.POSITIVE_INFINITY;
}

/** How much of a trim the leading and the trailing end have, 0 to 1. */
export function ends(distance_deg: number): { lead: number; trail: number } {
  const share = (from: number, to: number) => Math.max(0, Math.min(1, (from - distance_deg) / (from - to)));
  return { lead: share(FADE_DEG, NEAR_DEG), trail: share(NEAR_DEG, SETTLED_DEG) };
}

interface TrimmedPlace extends Place {
  trims?: readonly ({ zone: string } & Shift)[];
}

/** For each zone that is shifted with the camera at `at`: its ends, leading ones first. */
export function shiftsAt(presets: readonly TrimmedPlace[], at: Place): Map<string, Shift[]> {
  const leading = new Map<string, Shift[]>();
  const trailing = new Map<string, Shift[]>();
  const note = (map: Map<string, Shift[]>, zone: string, share: number, { pan_deg, tilt_deg }: Shift) =>
    map.set(zone, [...(map.get(zone) ?? []), { pan_deg: share * pan_deg, tilt_deg: share * tilt_deg }]);
  for (const preset of presets) {
    const { lead, trail } = ends(distanceDeg(preset, at));
    if (lead === 0) continue;
    for (const trim of preset.trims ?? []) {
      note(leading, trim.zone, lead, trim);
      note(trailing, trim.zone, trail, trim);
    }
  }
  return new Map([...leading].map(([zone, shifts]) => [zone, distinct([...shifts, ...(trailing.get(zone) ?? [])])]));
}

export function isNone({ pan_deg, tilt_deg }: Shift): boolean {
  return pan_deg === 0 && tilt_deg === 0;
}

/** A zone further right is a camera further left. */
export function shiftedView(view: TurningView, { pan_deg, tilt_deg }: Shift): TurningView {
  return { ...view, pan_deg: view.pan_deg - pan_deg, tilt_deg: view.tilt_deg - tilt_deg };
}

function distinct(shifts: readonly Shift[]): Shift[] {
  return shifts.filter((a, i) => shifts.findIndex((b) => b.pan_deg === a.pan_deg && b.tilt_deg === a.tilt_deg) === i);
}

/** The shift with which what `shift` shows at `from` is seen at `to`; none where no turn brings it there. */
export function shiftTo(view: TurningView, shift: Shift, from: Pixel, to: Pixel): Shift | null {
  // In the head's own coordinates: a turn by pan, then one by tilt, takes the direction to the ray.
  const unrolled = transpose(rollRotation(view.roll_deg));
  const ray = (at: Pixel) => apply(unrolled, rayOf(view, at));
  const seen = headDirection(ray(from), view.pan_deg - shift.pan_deg, view.tilt_deg - shift.tilt_deg);
  const [x, y, z] = ray(to);
  const across = Math.cos(seen.tilt_deg * DEG);
  // A pan alone decides how far to the side of the axis it is seen.
  if (Math.abs(x) > across) return null;
  const side = Math.asin(x / across) / DEG;
  const forward = across * Math.cos(side * DEG);
  const up = Math.sin(seen.tilt_deg * DEG);
  const tilt = (Math.atan2(up, forward) - Math.atan2(y, z)) / DEG;
  const pan = seen.pan_deg - side;
  const [there, high] = [nearestTurn(pan, view.pan_deg), nearestTurn(tilt, view.tilt_deg)];
  return { pan_deg: view.pan_deg - there, tilt_deg: view.tilt_deg - high };
}

/** The direction, before pan and tilt, that a ray of the head has (x right, y up, z forward). */
function headDirection(ray: Vector, pan_deg: number, tilt_deg: number): Place {
  const level = directionOf(apply(transpose(tiltRotation(tilt_deg)), ray));
  return { pan_deg: level.pan_deg + pan_deg, tilt_deg: level.tilt_deg };
}
