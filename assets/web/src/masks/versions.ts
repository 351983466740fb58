// What the gateway says about the versions of a camera's masks.

import type { Mistake, Version } from "../api/model";
import type { MaskDocument } from "./document";

export type { Mistake, Version };

export interface Masks {
  version: Version;
  document: MaskDocument;
  four_eyes: boolean;
}

/** The zone that a mistake names, by its place in the document that was sent. */
export function zoneOfMistake({ path }: Mistake, document: MaskDocument): string | null {
  const index = /^zones\[(\d+)\]/.exec(path)?.[1];
  return index === undefined ? null : (document.zones[Number(index)]?.id ?? null);
}
