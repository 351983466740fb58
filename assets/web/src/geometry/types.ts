// The spaces that the editor moves between. Their fields differ, so that the
// compiler refuses to mix them.

import type { ViewMessage } from "../api/model";

/** A direction from the camera, degrees: pan clockwise seen from above, tilt above the horizon. */
export interface SpherePoint {
  pan_deg: number;
  tilt_deg: number;
}

/** A point of the picture in fractions: (0, 0) is the top left corner, (1, 1) the bottom right one. */
export interface PicturePoint {
  x: number;
  y: number;
}

/** A point of the picture (or of the panorama's drawing) in its pixels, from the top left corner. */
export interface Pixel {
  u: number;
  v: number;
}

/** How a turning camera looks now, as the gateway says it. */
export type TurningView = Extract<ViewMessage, { kind: "turning" }>;
export type Mount = TurningView["mount"];

export type { ViewMessage };
