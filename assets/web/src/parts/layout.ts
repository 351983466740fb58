// How many columns a wall has: the largest pictures that fit.

export interface Space {
  width: number;
  height: number;
}

export interface Layout {
  columns: number;
  /** Width of a cell. */
  cell: number;
  /** Height of its picture. */
  picture: number;
}

/** A picture narrower than this is of no use; the wall scrolls instead. */
export const NARROWEST = 200;
export const GAP = 8;
const CAPTION_NEEDS = 300;
const SHAPE = 16 / 9;

/** All in CSS pixels; `caption` is the height of what stands below each picture. */
export function layout(count: number, space: Space, caption: number): Layout {
  const fits = (columns: number) => {
    const rows = Math.ceil(count / columns);
    const cell = Math.floor((space.width - GAP * (columns - 1)) / columns);
    const height = (space.height - GAP * (rows - 1)) / rows - caption;
    const picture = Math.max(0, Math.floor(Math.min(height, cell / SHAPE)));
    return { columns, cell, picture, width: picture * SHAPE };
  };
  const all = Array.from({ length: Math.max(1, count) }, (_, i) => fits(i + 1));
  const best = all.reduce((a, b) => (b.width > a.width ? b : a));
  // No wider than its picture and its caption need, so that cells stand together.
  if (best.width >= NARROWEST) {
    const cell = Math.min(best.cell, Math.max(Math.ceil(best.width), CAPTION_NEEDS));
    return { columns: best.columns, cell, picture: best.picture };
  }
  // Too many to fit: as many columns as are wide enough, and the page scrolls.
  const columns = Math.max(1, Math.min(count, Math.floor((space.width + GAP) / (NARROWEST + GAP))));
  const cell = Math.floor((space.width - GAP * (columns - 1)) / columns);
  return { columns, cell, picture: Math.floor(cell / SHAPE) };
}

/** The cell one comes to from `from` with an arrow key; `from` at an edge. */
export function neighbour(from: number, key: string, count: number, columns: number): number {
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const to = from + (steps[key] ?? 0);
  return to >= 0 && to < count ? to : from;
}
