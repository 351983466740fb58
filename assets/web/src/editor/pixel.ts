// Where in the picture a pointer is.

import type { Pixel } from "../geometry/types";

export function pixelOf(event: PointerEvent | MouseEvent, sheet: { width: number; height: number }): Pixel {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  return {
    u: ((event.clientX - box.left) / box.width) * sheet.width,
    v: ((event.clientY - box.top) / box.height) * sheet.height,
  };
}

/** A hand that clicks is never quite still. */
export const STILL_PX = 3;
