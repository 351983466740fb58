// The sphere in cells of one degree: which of them the camera can look at, and
// which it has looked at. Pure.

import { cameraOf, mountRotation } from "./camera";
import { lensOf } from "./lens";
import { BOTTOM_DEG, PX_PER_DEG, TOP_DEG } from "./panorama";
import type { TurningView } from "./types";
import { apply, DEG, directionOf, dot, unit, vectorOf, type Vector } from "./vector";

export const PANS = 360;
export const TILTS = TOP_DEG - BOTTOM_DEG;

/** By rows from the top, each from pan −180°; 1 where it holds. */
export type Cells = Uint8Array;

export function noCells(): Cells {
  return new Uint8Array(PANS * TILTS);
}

const MIDDLES: Vector[] = Array.from({ length: PANS * TILTS }, (_, i) =>
  vectorOf({ pan_deg: (i % PANS) - 180 + 0.5, tilt_deg: TOP_DEG - Math.floor(i / PANS) - 0.5 }),
);

/** Adds the cells whose middle the camera sees; how many were new. */
export function look(cells: Cells, view: TurningView): number {
  const camera = cameraOf(view);
  const { width, height } = camera;
  const axis = unit(camera.unprojectVector({ u: width / 2, v: height / 2 }));
  const corners = [0, width].flatMap((u) => [0, height].map((v) => unit(camera.unprojectVector({ u, v }))));
  // Nothing is seen further from the axis than the corners.
  const least = Math.min(...corners.map((corner) => dot(axis, corner)));
  let fresh = 0;
  MIDDLES.forEach((middle, i) => {
    if (cells[i] === 1 || dot(axis, middle) < least) return;
    const seen = camera.toCamera(middle);
    if (seen[2] <= 0.01) return;
    const { u, v } = camera.pixel(seen);
    if (u < 0 || v < 0 || u > width || v > height) return;
    cells[i] = 1;
    fresh += 1;
  });
  return fresh;
}

export interface Limits {
  pan_deg: [number, number];
  tilt_deg: [number, number];
  endless_pan: boolean;
  /** The widest field of view. */
  hfov_deg: number;
}

/** Positions that are tried around the nearest one, in fields of view. */
const TRIES = [0, -0.25, 0.25, -0.5, 0.5];

/** Reach is found out in squares of this many cells a side: what a lens sees at its widest is far larger. */
const SQUARE = 2;

/** The squares of which some corner can be looked at: what is left out can certainly never be. */
export function reachable(limits: Limits, view: Pick<TurningView, "size" | "k1" | "k2" | "mount">): Cells {
  const frame = widest(limits.hfov_deg, view);
  const base = mountRotation(view.mount);
  const [columns, rows] = [PANS / SQUARE, TILTS / SQUARE];
  const corners = new Uint8Array(columns * (rows + 1));
  for (let row = 0; row <= rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const direction = vectorOf({ pan_deg: column * SQUARE - 180, tilt_deg: TOP_DEG - row * SQUARE });
      if (canSee(apply(base, direction), limits, frame)) corners[row * columns + column] = 1;
    }
  }
  const at = (row: number, column: number) => corners[row * columns + (column % columns)] ?? 0;
  return noCells().map((_, i) => {
    const [row, column] = [Math.floor(i / PANS / SQUARE), Math.floor((i % PANS) / SQUARE)];
    return at(row, column) | at(row, column + 1) | at(row + 1, column) | at(row + 1, column + 1);
  });
}

interface Frame {
  /** Half of it, focal length 1. */
  x: number;
  y: number;
  hfov_deg: number;
  vfov_deg: number;
}

/** Rather too large than too small: what is called out of reach must be. */
function widest(hfov_deg: number, { size: [width, height], k1, k2 }: Pick<TurningView, "size" | "k1" | "k2">): Frame {
  const focal = width / 2 / Math.tan((hfov_deg / 2) * DEG);
  const corner = Math.hypot(width, height) / 2 / focal;
  let grown = 1;
  try {
    grown = Math.max(1, lensOf(k1, k2, corner).undistort(corner) / corner);
  } catch {
    // A lens that folds at the widest is none; the picture of a straight one is near enough.
  }
  const [x, y] = [(grown * width) / 2 / focal, (grown * height) / 2 / focal];
  return { x, y, hfov_deg: (2 * Math.atan(x)) / DEG, vfov_deg: (2 * Math.atan(y)) / DEG };
}

function canSee(direction: Vector, limits: Limits, frame: Frame): boolean {
  const { pan_deg, tilt_deg } = directionOf(direction);
  for (const up of TRIES) {
    const tilt = within(tilt_deg + up * frame.vfov_deg, limits.tilt_deg);
    for (const aside of TRIES) {
      const pan = limits.endless_pan
        ? pan_deg + aside * frame.hfov_deg
        : nearestPan(pan_deg + aside * frame.hfov_deg, limits.pan_deg);
      if (inFrame(direction, pan, tilt, frame)) return true;
    }
  }
  return false;
}

function inFrame([x, y, z]: Vector, pan_deg: number, tilt_deg: number, frame: Frame): boolean {
  const [sp, cp] = [Math.sin(pan_deg * DEG), Math.cos(pan_deg * DEG)];
  const [st, ct] = [Math.sin(tilt_deg * DEG), Math.cos(tilt_deg * DEG)];
  const [across, ahead] = [cp * x - sp * z, sp * x + cp * z];
  const [up, depth] = [ct * y - st * ahead, st * y + ct * ahead];
  return depth > 0 && Math.abs(across) <= frame.x * depth && Math.abs(up) <= frame.y * depth;
}

function within(value: number, [low, high]: [number, number]): number {
  return Math.max(low, Math.min(high, value));
}

/** The pan in `range` nearest to `pan`; those that differ by whole turns are one. */
function nearestPan(pan: number, [low, high]: [number, number]): number {
  const first = pan + 360 * Math.ceil((low - pan) / 360);
  if (first <= high) return first;
  // Beyond the end of the range, and a turn earlier before its beginning.
  return first - high < low - (first - 360) ? high : low;
}

/** Shares of the cells' solid angle. */
export function shareOf(cells: Cells, of: Cells | null = null): number {
  let [some, all] = [0, 0];
  for (let row = 0; row < TILTS; row += 1) {
    const weight = Math.cos((TOP_DEG - row - 0.5) * DEG);
    for (let i = row * PANS; i < (row + 1) * PANS; i += 1) {
      if (of && !of[i]) continue;
      all += weight;
      if (cells[i]) some += weight;
    }
  }
  return all > 0 ? some / all : 0;
}

/** An outline on the panorama of all cells for which `holds`. */
export function pathOf(holds: (index: number) => boolean): string {
  const steps: string[] = [];
  for (let row = 0; row < TILTS; row += 1) {
    let from: number | null = null;
    for (let column = 0; column <= PANS; column += 1) {
      const here = column < PANS && holds(row * PANS + column);
      if (here && from === null) from = column;
      if (!here && from !== null) {
        const [u, v, w] = [from * PX_PER_DEG, row * PX_PER_DEG, (column - from) * PX_PER_DEG];
        steps.push(`M${u} ${v}h${w}v${PX_PER_DEG}h${-w}Z`);
        from = null;
      }
    }
  }
  return steps.join("");
}
