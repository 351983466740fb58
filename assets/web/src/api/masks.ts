// Requests about masks, their versions and how the camera looks.

import type { ViewMessage } from "../geometry/types";
import type { Outcome, Work } from "../masks/saving";
import type { Masks, Mistake, Version } from "../masks/versions";
import { cameraPath, failureOf, read, send } from "./client";
import type { Problem } from "./model";

/** What a refusal may say besides the sentence. */
interface Refusal extends Problem {
  current?: Version;
  mistakes?: Mistake[];
  needs_reason?: boolean;
}

export async function readMasks(id: string): Promise<Masks> {
  return read<Masks>(await send(cameraPath(id, "masks")));
}

export async function readVersions(id: string): Promise<Version[]> {
  return (await read<{ versions: Version[] }>(await send(cameraPath(id, "masks/versions")))).versions;
}

export async function readVersion(id: string, number: number): Promise<Pick<Masks, "version" | "document">> {
  return read(await send(cameraPath(id, `masks/versions/${number}`)));
}

export async function readView(id: string): Promise<ViewMessage> {
  return read<ViewMessage>(await send(cameraPath(id, "view")));
}

export function viewStream(id: string): EventSource {
  return new EventSource(cameraPath(id, "view/stream"));
}

/** Saves or restores over the version `sha256`; every answer is an outcome. */
export async function submit(id: string, work: Work, reason: string, sha256: string): Promise<Outcome> {
  const why = reason.trim() === "" ? null : reason.trim();
  const [method, path, body] =
    work.kind === "save"
      ? (["PUT", "masks", { document: work.document, reason: why }] as const)
      : (["POST", `masks/versions/${work.number}/restore`, { reason: why }] as const);
  try {
    const headers = { "Content-Type": "application/json", "If-Match": `"${sha256}"` };
    const response = await send(cameraPath(id, path), { method, headers, body: JSON.stringify(body) });
    return { kind: "saved", version: (await read<{ version: Version }>(response)).version };
  } catch (error) {
    return outcomeOf(error);
  }
}

export async function judge(id: string, number: number, approve: boolean): Promise<Version> {
  const headers = { "Content-Type": "application/json" };
  const path = cameraPath(id, `masks/versions/${number}/approve`);
  const response = await send(path, { method: "POST", headers, body: JSON.stringify({ approve }) });
  return (await read<{ version: Version }>(response)).version;
}

function outcomeOf(error: unknown): Outcome {
  const failure = failureOf(error);
  if (failure.kind !== "refused") return { kind: "failed", failure };
  const refusal = failure.problem as Refusal | null;
  if (failure.status === 409 && refusal?.current) return { kind: "conflict", current: refusal.current };
  if (failure.status === 422 && refusal?.needs_reason) return { kind: "needs-reason" };
  if (failure.status === 422 && refusal?.mistakes?.length) return { kind: "mistakes", mistakes: refusal.mistakes };
  return { kind: "failed", failure };
}
