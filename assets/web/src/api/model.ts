// Short names for the API's types, and what a role may do.

import type { components } from "./types";

type Schemas = components["schemas"];
export type Session = Schemas["Session"];
export type Problem = Schemas["Problem"];
export type GatewayStatus = Schemas["GatewayStatus"];
export type CameraStatus = Schemas["CameraStatus"];
export type Role = Session["roles"][number];

const VIDEO_ROLES: readonly Role[] = ["observer", "integrator", "admin"];

/** Whether the gateway gives this user pictures. It decides; the page only asks for what it will get. */
export function maySeeVideo(session: Session): boolean {
  return session.roles.some((role) => VIDEO_ROLES.includes(role));
}

/** Whether the gateway gives this user clear stills, where somebody permits them: nobody else, not even an admin. */
export function mayFetchStills(session: Session): boolean {
  return session.roles.includes("integrator");
}

/** Whether this user permits clear stills. */
export function mayPermitStills(session: Session): boolean {
  return session.roles.includes("officer") || session.roles.includes("admin");
}

/** Whether the gateway lets this user edit masks; it decides here as well. */
export function mayEditMasks(session: Session): boolean {
  return session.roles.includes("integrator") || session.roles.includes("admin");
}
