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

/** A narrower picture is of no use: then the wall scrolls instead. */
export const NARROWEST_PICTURE = 200;
/** A narrower caption does not hold its figures. */
export const NARROWEST_CELL = 240;
export const GAP = 8;
/** A cell of this width holds every caption; a wider one only serves a wider picture. */
const ROOMY_CELL = 300;
const SHAPE = 16 / 9;

/** All in CSS pixels; `caption` is the height of what stands below each picture. */
export function layout(count: number, space: Space, caption: number): Layout {
  const width = (columns: number) => Math.floor((space.width - GAP * (columns - 1)) / columns);
  const most = Math.max(1, Math.min(count, Math.floor((space.width + GAP) / (NARROWEST_CELL + GAP))));
  let best: Layout = { columns: most, cell: width(most), picture: 0 };
  for (let columns = 1; columns <= most; columns += 1) {
    const rows = Math.ceil(count / columns);
    const height = (space.height - GAP * (rows - 1)) / rows - caption;
    const picture = Math.floor(Math.min(height, width(columns) / SHAPE));
    if (picture > best.picture) best = { columns, cell: width(columns), picture };
  }
  const wide = Math.ceil(best.picture * SHAPE);
  if (wide < NARROWEST_PICTURE) return { columns: most, cell: width(most), picture: Math.floor(width(most) / SHAPE) };
  return { ...best, cell: Math.min(best.cell, Math.max(wide, ROOMY_CELL)) };
}

/** The cell one comes to from `from` with an arrow key; `from` at an edge. */
export function neighbour(from: number, key: string, count: number, columns: number): number {
  const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const to = from + (steps[key] ?? 0);
  return to >= 0 && to < count ? to : from;
}
