// Requests that turn a camera, and those about its own presets.

import type { Command } from "../steering/course";
import { cameraPath, read, send } from "./client";
import type { OwnPreset, Reach } from "./model";

export async function readReach(id: string): Promise<Reach> {
  return read<Reach>(await send(cameraPath(id, "steering")));
}

export async function readOwnPresets(id: string): Promise<OwnPreset[]> {
  return (await read<{ presets: OwnPreset[] }>(await send(cameraPath(id, "presets")))).presets;
}

/** Throws `ApiError` where the gateway or the camera refuses. `last`: even while the page goes away. */
export async function command(id: string, what: Command, last = false): Promise<void> {
  const [path, body] = requestOf(what);
  const init: RequestInit = { method: "POST", keepalive: last };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  await send(cameraPath(id, path), init);
}

function requestOf(what: Command): [string, unknown] {
  switch (what.kind) {
    case "move":
      return ["steering/move", what.move];
    case "stop":
      return ["steering/stop", null];
    case "go":
      return ["steering/go", { pan_deg: what.pan_deg, tilt_deg: what.tilt_deg, zoom: what.zoom }];
    case "toward":
      return ["steering/go", { toward: { pan_deg: what.pan_deg, tilt_deg: what.tilt_deg } }];
    case "home":
      return ["steering/home", null];
    case "preset":
      return [`presets/${encodeURIComponent(what.token)}/go`, null];
  }
}
