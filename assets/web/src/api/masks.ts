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

/** Whose masks: a camera's, or those of one preset of a camera that cannot tell where it looks. */
export interface Holder {
  camera: string;
  preset: string | null;
}

/** As its documents call it. */
export function holderName({ camera, preset }: Holder): string {
  return preset === null ? camera : `${camera}.${preset}`;
}

function masksPath({ camera, preset }: Holder, rest = ""): string {
  return cameraPath(camera, `masks${rest}${preset === null ? "" : `?preset=${encodeURIComponent(preset)}`}`);
}

export async function readMasks(holder: Holder): Promise<Masks> {
  return read<Masks>(await send(masksPath(holder)));
}

export async function readVersions(holder: Holder): Promise<Version[]> {
  return (await read<{ versions: Version[] }>(await send(masksPath(holder, "/versions")))).versions;
}

export async function readVersion(holder: Holder, number: number): Promise<Pick<Masks, "version" | "document">> {
  return read(await send(masksPath(holder, `/versions/${number}`)));
}

export async function readView(id: string): Promise<ViewMessage> {
  return read<ViewMessage>(await send(cameraPath(id, "view")));
}

export function viewStream(id: string): EventSource {
  return new EventSource(cameraPath(id, "view/stream"));
}

/** Saves or restores over the version `sha256`; every answer is an outcome. */
export async function submit(holder: Holder, work: Work, reason: string, sha256: string): Promise<Outcome> {
  const why = reason.trim() === "" ? null : reason.trim();
  const [method, path, body] =
    work.kind === "save"
      ? (["PUT", "", { document: work.document, reason: why }] as const)
      : (["POST", `/versions/${work.number}/restore`, { reason: why }] as const);
  try {
    const headers = { "Content-Type": "application/json", "If-Match": `"${sha256}"` };
    const response = await send(masksPath(holder, path), { method, headers, body: JSON.stringify(body) });
    return { kind: "saved", version: (await read<{ version: Version }>(response)).version };
  } catch (error) {
    return outcomeOf(error);
  }
}

export async function judge(holder: Holder, number: number, approve: boolean): Promise<Version> {
  const headers = { "Content-Type": "application/json" };
  const path = masksPath(holder, `/versions/${number}/approve`);
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
