// How the video comes, in English; part of `en.ts`.

export const wayEn = {
  name: "Video",
  webrtc: "over WebRTC",
  websocket: "over WebSocket",
};
