// What the gateway says about the versions of a camera's masks.

import type { MaskDocument } from "./document";

export interface Version {
  number: number;
  sha256: string;
  /** RFC 3339. */
  saved: string;
  author: string;
  reason: string | null;
  /** It covers less than the version before it. */
  covers_less: boolean;
  /** The version whose document it brought back. */
  restores: number | null;
  state: "active" | "past" | "proposed" | "refused";
  /** Who approved it, where two people are needed. */
  second: string | null;
}

export interface Masks {
  version: Version;
  document: MaskDocument;
  four_eyes: boolean;
}

export interface Mistake {
  /** Where in the document, as `zones[2].points`. */
  path: string;
  what: string;
  remedy: string | null;
}

/** The zone that a mistake names, by its place in the document that was sent. */
export function zoneOfMistake({ path }: Mistake, document: MaskDocument): string | null {
  const index = /^zones\[(\d+)\]/.exec(path)?.[1];
  return index === undefined ? null : (document.zones[Number(index)]?.id ?? null);
}
