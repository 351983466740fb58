// What is not saved yet, kept in the browser: an ended session, a closed page
// or somebody else's version loses nothing.

import type { MaskDocument } from "./document";

export interface Draft {
  format: 1;
  user: string;
  camera: string;
  /** The version one began with. */
  base: { number: number; sha256: string };
  document: MaskDocument;
  /** RFC 3339. */
  changed: string;
}

/** As much of `Storage` as is needed; it may throw anywhere. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

const PREFIX = "greyplane.masks.draft";

function prefixOf(user: string, camera: string): string {
  return `${PREFIX}/${encodeURIComponent(user)}/${encodeURIComponent(camera)}/`;
}

/** Whether it could be kept: a browser may refuse, or be full. */
export function keepDraft(store: Store, draft: Draft): boolean {
  try {
    store.setItem(prefixOf(draft.user, draft.camera) + draft.base.sha256, JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

/** This user's drafts for this camera, the newest first. What cannot be read is no draft. */
export function findDrafts(store: Store, user: string, camera: string): Draft[] {
  const prefix = prefixOf(user, camera);
  try {
    const keys = Array.from({ length: store.length }, (_, i) => store.key(i) ?? "");
    const drafts = keys.filter((key) => key.startsWith(prefix)).map((key) => parse(store.getItem(key)));
    return drafts.filter((draft) => draft !== null).sort((a, b) => b.changed.localeCompare(a.changed));
  } catch {
    return [];
  }
}

export function forgetDraft(store: Store, user: string, camera: string, sha256: string): void {
  try {
    store.removeItem(prefixOf(user, camera) + sha256);
  } catch {
    // Then it is offered once more.
  }
}

function parse(text: string | null): Draft | null {
  try {
    const draft = JSON.parse(text ?? "") as Partial<Draft> | null;
    const whole =
      draft?.format === 1 &&
      typeof draft.changed === "string" &&
      typeof draft.base?.sha256 === "string" &&
      Array.isArray(draft.document?.zones);
    return whole ? (draft as Draft) : null;
  } catch {
    return null;
  }
}
