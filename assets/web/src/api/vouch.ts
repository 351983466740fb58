// Requests about presets of cameras that cannot tell where they look.

import { cameraPath, read, send } from "./client";
import type { VouchedPreset } from "./model";

export async function readVouched(camera: string): Promise<VouchedPreset[]> {
  return (await read<{ presets: VouchedPreset[] }>(await send(cameraPath(camera, "verified")))).presets;
}

/** What somebody says: the masks of version `sha256` fit what they saw on the clear still that is called `still`. */
export interface Vouch {
  sha256: string;
  still: string;
  reason: string;
}

/** The gateway looks at the picture for seconds; throws `ApiError` where it does not bear it out. */
export async function vouch(camera: string, preset: string, { sha256, still, reason }: Vouch): Promise<void> {
  const headers = { "Content-Type": "application/json", "If-Match": `"${sha256}"` };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await send(pathOf(camera, preset), { method: "POST", headers, signal, body: JSON.stringify({ still, reason }) });
}

export async function withdraw(camera: string, preset: string): Promise<void> {
  await send(pathOf(camera, preset), { method: "DELETE" });
}

const PATIENCE_MS = 20_000;

function pathOf(camera: string, preset: string): string {
  return cameraPath(camera, `verified/${encodeURIComponent(preset)}`);
}
