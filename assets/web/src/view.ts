// What is known about each camera now, for the pages.

import type { CameraStatus, Session } from "./api/model";
import { STALE_AFTER_S, type StatusView } from "./api/useStatus";

const STATES = ["live", "widened", "covered", "no-signal"] as const;

export type ShownState = (typeof STATES)[number] | "unknown";

export interface CameraView {
  id: string;
  /** None before the first status, or when the gateway has no such camera. */
  status: CameraStatus | null;
  /** `unknown` as well when the last status is too old to be of now. */
  state: ShownState;
  reason: string | null;
}

export function viewsOf(session: Session, gateway: StatusView): CameraView[] {
  const { status, silentS } = gateway;
  if (!status) return session.cameras.map((id) => ({ id, status: null, state: "unknown", reason: null }));
  const stale = silentS >= STALE_AFTER_S;
  return status.cameras.map((camera) => ({
    id: camera.id,
    status: camera,
    // A state that this page does not know must not look like one it knows.
    state: (!stale && STATES.find((state) => state === camera.state)) || "unknown",
    reason: stale ? null : camera.reason,
  }));
}

/** Whether the gateway says that there is something to see. */
export function givesPicture(camera: CameraView): boolean {
  return camera.state === "live" || camera.state === "widened";
}
