// Short names for the API's types, and what a role may do. The types themselves
// (`types.ts`) are made from openapi.json, which the gateway prints.

import type { components } from "./types";

type Schemas = components["schemas"];
export type Session = Schemas["Who"];
export type Problem = Schemas["ErrorBody"];
export type GatewayStatus = Schemas["GatewayStatus"];
export type CameraStatus = Schemas["CameraStatus"];
export type Role = Schemas["Role"];
export type Version = Schemas["Version"];
export type Mistake = Schemas["Mistake"];
export type ViewMessage = Schemas["CameraView"];

const VIDEO_ROLES: readonly Role[] = ["observer", "integrator", "admin"];

/** Whether the gateway gives this user pictures. It decides; the page only asks for what it will get. */
export function maySeeVideo(session: Session): boolean {
  return session.roles.some((role) => VIDEO_ROLES.includes(role));
}

/** Whether the gateway lets this user edit masks; it decides here as well. */
export function mayEditMasks(session: Session): boolean {
  return session.roles.includes("integrator") || session.roles.includes("admin");
}
