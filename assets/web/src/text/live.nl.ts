// Hoe het beeld komt, in het Nederlands; deel van `nl.ts`.

import type { wayEn } from "./live.en";

export const wayNl: typeof wayEn = {
  name: "Beeld",
  webrtc: "via WebRTC",
  websocket: "via WebSocket",
};
