// How a picture that is buffered stays close behind the live one: pure.

/** Further behind than this, what lies between is left out. */
const JUMP_BEHIND_S = 0.5;
/** Further behind than this, it is caught up with, until it is close again. */
const HURRY_BEHIND_S = 0.15;
const CLOSE_BEHIND_S = 0.06;
/** Fast enough to help, too slow to be noticed. */
const HURRY_RATE = 1.15;
/** Landing exactly at the last picture would mean to wait for the next. */
const LAND_BEHIND_S = 0.04;

/** Played pictures are let go in steps of so much. */
const TRIM_EVERY_S = 10;
const TRIM_KEEP_S = 4;

export interface Step {
  /** Where to jump; null where it plays on. */
  jumpToS: number | null;
  rate: number;
}

/** What to do at `atS` while the newest picture is that of `edgeS`; `rate` is the one of now. */
export function follow(atS: number, edgeS: number, rate: number): Step {
  const behindS = edgeS - atS;
  if (behindS > JUMP_BEHIND_S) return { jumpToS: edgeS - LAND_BEHIND_S, rate: 1 };
  if (behindS > HURRY_BEHIND_S) return { jumpToS: null, rate: HURRY_RATE };
  return { jumpToS: null, rate: behindS > CLOSE_BEHIND_S ? rate : 1 };
}

/** A little before a key frame: what is exactly there must stay whatever is rounded. */
const BEFORE_KEY_S = 0.001;

/**
 * Up to where played pictures can go; null while that is not worth it. Only up
 * to a key frame: with others a browser lets go of all that builds on them,
 * which may be the picture of now (Media Source Extensions, 3.5.9).
 */
export function trimTo(firstS: number, atS: number, keysS: readonly number[]): number | null {
  const key = keysS.filter((s) => s <= atS - TRIM_KEEP_S).at(-1);
  return key !== undefined && key - firstS > TRIM_EVERY_S ? key - BEFORE_KEY_S : null;
}
