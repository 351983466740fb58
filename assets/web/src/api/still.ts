// Requests about clear stills: who permitted them, and fetching one.

import type { ViewMessage } from "../geometry/types";
import { ApiError, cameraPath, read, send } from "./client";
import type { StillPermit } from "./model";

export type { StillPermit };

/** A permit, and for how long it goes on by the gateway's clock, not by this machine's. */
export interface Heard {
  permit: StillPermit;
  leftMs: number;
}

export interface ClearStill {
  picture: Blob;
  /** How the camera looked on exactly this picture. */
  view: ViewMessage;
}

export async function readPermit(camera: string): Promise<Heard> {
  return heard(await send(cameraPath(camera, "still/permit")));
}

export async function givePermit(camera: string, minutes: number, reason: string): Promise<Heard> {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ minutes, reason });
  return heard(await send(cameraPath(camera, "still/permit"), { method: "POST", headers, body }));
}

export async function withdrawPermit(camera: string): Promise<void> {
  await send(cameraPath(camera, "still/permit"), { method: "DELETE" });
}

export async function fetchStill(camera: string): Promise<ClearStill> {
  const response = await send(cameraPath(camera, "still"));
  try {
    const view = JSON.parse(response.headers.get("Greyplane-View") ?? "") as ViewMessage;
    return { picture: await response.blob(), view };
  } catch {
    throw new ApiError({ kind: "unreachable" });
  }
}

async function heard(response: Response): Promise<Heard> {
  const permit = await read<StillPermit>(response);
  return { permit, leftMs: leftMs(permit.until, response.headers.get("Date"), Date.now()) };
}

/** From `date`, the gateway's time when it answered, to `until`; this machine's `now` where it did not say. */
export function leftMs(until: string | null, date: string | null, now: number): number {
  if (until === null) return 0;
  const at = Date.parse(date ?? "");
  const left = Date.parse(until) - (Number.isNaN(at) ? now : at);
  return Number.isNaN(left) ? 0 : Math.max(0, left);
}
