// Scales of the charts. Pure.

import { nearestTurn } from "../geometry/vector";

/** Round values from at most `low` to at least `high`, some four of them. */
export function ticksOf(low: number, high: number): number[] {
  const span = Math.max(high - low, 1e-3);
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const count = Math.max(1, last - first);
  return Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

/** Pans that do not jump where the circle closes. */
export function unwrap(pans: readonly (number | null)[]): (number | null)[] {
  let last: number | null = null;
  return pans.map((pan) => {
    if (pan === null) return null;
    last = last === null ? pan : nearestTurn(pan, last);
    return last;
  });
}

/** A line through what is known, broken off where nothing is. */
export function lineOf(points: readonly { x: number; y: number | null }[]): string {
  let pen = "M";
  return points
    .map(({ x, y }) => {
      if (y === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}
