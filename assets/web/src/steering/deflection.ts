// From a hand on the pad, and from held keys, to shares of speed. Pure.

import type { Move } from "./course";

/** Of the pad's radius: a hand that rests does not turn the camera. */
const DEAD = 0.08;

/** `x` to the right and `y` down from the pad's middle, in its radii. */
export function padMove(x: number, y: number): Pick<Move, "pan" | "tilt"> {
  const far = Math.hypot(x, y);
  if (!(far > DEAD)) return { pan: 0, tilt: 0 };
  const share = Math.min(1, (far - DEAD) / (1 - DEAD));
  // Slow near the middle, where one aims.
  const speed = share * share;
  return { pan: hundredths((speed * x) / far), tilt: hundredths((-speed * y) / far) };
}

/** Where the knob stands: inside the pad. */
export function knob(x: number, y: number): { x: number; y: number } {
  const far = Math.max(1, Math.hypot(x, y));
  return { x: x / far, y: y / far };
}

const ARROWS: Record<string, Partial<Move>> = {
  ArrowLeft: { pan: -1 },
  ArrowRight: { pan: 1 },
  ArrowUp: { tilt: 1 },
  ArrowDown: { tilt: -1 },
};
const ZOOMS: Record<string, Partial<Move>> = { "+": { zoom: 1 }, "=": { zoom: 1 }, "-": { zoom: -1 } };

const KEY_SPEED = 0.4;

export function isArrow(key: string): boolean {
  return Object.hasOwn(ARROWS, key);
}

export function isZoom(key: string): boolean {
  return Object.hasOwn(ZOOMS, key);
}

/** What all held keys together mean; `fast` with Shift. */
export function keysMove(keys: ReadonlySet<string>, fast: boolean): Move {
  const sum = { pan: 0, tilt: 0, zoom: 0 };
  for (const key of keys) {
    const by = ARROWS[key] ?? ZOOMS[key] ?? {};
    sum.pan += by.pan ?? 0;
    sum.tilt += by.tilt ?? 0;
    sum.zoom += by.zoom ?? 0;
  }
  const speed = fast ? 1 : KEY_SPEED;
  const share = (value: number) => speed * Math.max(-1, Math.min(1, value)) + 0;
  return { pan: share(sum.pan), tilt: share(sum.tilt), zoom: share(sum.zoom) };
}

function hundredths(value: number): number {
  return Math.round(100 * value) / 100 + 0;
}
