// Requests about the audit log and proof packs.

import type { Filters } from "../audit/filters";
import { questionOf } from "../audit/filters";
import { cameraPath, read, send } from "./client";
import type { AuditPart, AuditRecord, Verified } from "./model";

export type { AuditPart, AuditRecord, Verified };
export type Result = AuditRecord["result"];

export interface ProofQuestion {
  camera: string;
  /** Days, `2026-11-01`, the last one included; UTC. */
  from: string;
  to: string;
  lang: "nl" | "en";
}

export const EXPORT = "/api/v1/audit/export";
/** A long log is read from a disk, a pack is computed: both take longer than other answers. */
const SEARCH_MS = 60_000;
const PROOF_MS = 300_000;

export async function searchAudit(filters: Filters, beforeSeq: number | null): Promise<AuditPart> {
  const signal = AbortSignal.timeout(SEARCH_MS);
  return read<AuditPart>(await send(`/api/v1/audit?${questionOf(filters, beforeSeq)}`, { signal }));
}

export async function makeProof({ camera, from, to, lang }: ProofQuestion): Promise<Blob> {
  const question = new URLSearchParams({ from, to, lang });
  const signal = AbortSignal.timeout(PROOF_MS);
  const response = await send(cameraPath(camera, `proof?${question}`), { signal });
  return response.blob();
}
