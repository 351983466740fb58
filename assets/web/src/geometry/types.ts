// The spaces that the editor moves between. Their fields differ, so that the
// compiler refuses to mix them.

import type { ViewMessage as CameraView } from "../api/model";

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

type Told<Kind> = Extract<CameraView, { kind: Kind }>;

/** What is told besides where it looks; a gateway may not know it. */
interface Besides {
  /** `live`, `widened`, `covered` or `no-signal`. */
  state?: string;
  reason?: { code: string; detail: string } | null;
}

/** How a turning camera looks now, as the gateway says it. */
export type TurningView = Pick<Told<"turning">, Where> &
  Besides & {
    /** In the camera profile's unit; null where it is not known. */
    zoom?: number | null;
    hfov_deg?: number;
  };
type Where =
  | ("kind" | "size" | "pan_deg" | "tilt_deg" | "roll_deg" | "focal_px" | "k1" | "k2" | "mount")
  | ("moving" | "margin_deg");

export type FixedView = Pick<Told<"fixed">, "kind" | "size"> & Besides;
export type ViewMessage = TurningView | FixedView;
export type Mount = TurningView["mount"];
