// The API's types, in the shape openapi-typescript writes them.
//
// Written by hand until `npm run types` makes this file from the gateway's
// OpenAPI document; nothing but `model.ts` reads it.

export interface components {
  schemas: {
    Session: {
      user: string;
      roles: ("observer" | "integrator" | "officer" | "admin")[];
      /** The cameras this user may see, in the configuration's order. */
      cameras: string[];
    };
    Login: { user: string; password: string };
    Problem: {
      /** What happened, a sentence. */
      error: string;
      /** What to do, a sentence. */
      remedy: string | null;
    };
    GatewayStatus: {
      version: string;
      rtsp_port: number;
      cameras: components["schemas"]["CameraStatus"][];
    };
    CameraStatus: {
      id: string;
      state: "live" | "widened" | "covered" | "no-signal";
      reason: string | null;
      /** Width and height of the picture, once known. */
      size: [number, number] | null;
      fps_in: number;
      fps_out: number;
      latency_ms: components["schemas"]["Percentiles"];
      budget_ms: number;
      late_frames: number;
      dropped: { [reason: string]: number };
      covered_s: { [reason: string]: number };
      live_s: number;
      telemetry_hz: number | null;
      telemetry_lateness_ms: number | null;
      detector: components["schemas"]["DetectorStatus"] | null;
      viewers: number;
      read_back_failures: number;
    };
    DetectorStatus: {
      looks_hz: number;
      cpu_percent: number;
      look_ms: number;
      tiles: number;
      tiles_overdue: number;
      longest_unvisited_ms: number;
      frames_before_their_look: number;
    };
    Percentiles: { p50: number; p99: number; max: number };
  };
}
