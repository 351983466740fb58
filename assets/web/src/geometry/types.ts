// The spaces that the editor moves between. Their fields differ, so that the
// compiler refuses to mix them.

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

export interface Mount {
  pan_deg: number;
  pitch_deg: number;
  roll_deg: number;
  ceiling: boolean;
}

/** How a turning camera looks now, as the gateway says it. */
export interface TurningView {
  kind: "turning";
  size: [number, number];
  pan_deg: number;
  tilt_deg: number;
  roll_deg: number;
  focal_px: number;
  k1: number;
  k2: number;
  mount: Mount;
  moving: boolean;
  margin_deg: number;
  /** In the camera profile's unit; null where it is not known. */
  zoom?: number | null;
  hfov_deg?: number;
  state?: MaskedState;
  reason?: ViewReason;
}

export interface FixedView {
  kind: "fixed";
  size: [number, number];
  state?: MaskedState;
  reason?: ViewReason;
}

/** How the picture of now is masked. */
export type MaskedState = "live" | "widened" | "covered";
export type ViewReason = { code: string; detail?: string | null } | string | null;

export type ViewMessage = TurningView | FixedView;
