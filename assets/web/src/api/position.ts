// Believing again where a camera says it looks.

import { cameraPath, send } from "./client";

export async function believePosition(camera: string, reason: string): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  await send(cameraPath(camera, "position/believe"), { method: "POST", headers, body: JSON.stringify({ reason }) });
}
