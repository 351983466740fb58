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
/** What a camera can reach, and who steers it now. */
export type Reach = Schemas["SteeringState"];
/** A preset that the camera keeps itself; what it does not tell is null. */
export type OwnPreset = Schemas["CameraPreset"];
/** A preset of a camera that cannot tell where it looks, and who vouched for it. */
export type VouchedPreset = Schemas["PresetView"];
export type StillPermit = Schemas["StillPermit"];
type Outcome = { result: "done" | "refused" | "failed"; detail: Record<string, unknown> };
export type AuditRecord = Omit<Schemas["AuditRecord"], keyof Outcome> & Outcome;
/** What the last look at the whole log found. */
export type Verified = Omit<Schemas["Verified"], "state"> & { state: "whole" | "broken" | "unknown" };
/** Records, the newest first. */
export type AuditPart = Omit<Schemas["Page"], "records" | "verified"> & { records: AuditRecord[]; verified: Verified };

const VIDEO_ROLES: readonly Role[] = ["observer", "integrator", "admin"];

/** Whether the gateway gives this user pictures. It decides; the page only asks for what it will get. */
export function maySeeVideo(session: Session): boolean {
  return session.roles.some((role) => VIDEO_ROLES.includes(role));
}

/** Whether the gateway lets this user read the audit log and make proof packs. */
export function mayAudit(session: Session): boolean {
  return session.roles.includes("officer") || session.roles.includes("admin");
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
