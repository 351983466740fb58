// Keeps what is not saved in the browser, soon after each change.

import { useEffect, useRef, useState } from "preact/hooks";
import { forgetDraft, keepDraft, type Store } from "../masks/drafts";
import type { MaskDocument } from "../masks/document";

interface Props {
  user: string;
  camera: string;
  base: { number: number; sha256: string };
  document: MaskDocument;
  dirty: boolean;
}

const SOON_MS = 300;

/** The browser's store; none where it refuses even to be asked. */
export function draftStore(): Store | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** Whether the draft is kept, as far as is known. */
export function useDraft(props: Props): boolean {
  const { document, dirty, base } = props;
  const [kept, setKept] = useState(true);
  const pending = useRef<(() => void) | null>(null);
  const was = useRef(false);

  useEffect(() => {
    const store = draftStore();
    const { user, camera } = props;
    if (!dirty) {
      pending.current = null;
      // Only one's own step makes a draft needless, not merely opening the page.
      if (was.current && store) forgetDraft(store, user, camera, base.sha256);
      was.current = false;
      return;
    }
    was.current = true;
    const write = () => {
      pending.current = null;
      const { number, sha256 } = base;
      const changed = new Date().toISOString();
      setKept(
        store !== null && keepDraft(store, { format: 1, user, camera, base: { number, sha256 }, document, changed }),
      );
    };
    pending.current = write;
    const timer = window.setTimeout(write, SOON_MS);
    return () => window.clearTimeout(timer);
  }, [document, dirty, base.sha256]);

  // What waits to be written is written before the page goes.
  useEffect(() => {
    const flush = () => pending.current?.();
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, []);
  return kept;
}
