// How the camera looks now, followed while the page is open.

import { useEffect, useMemo, useState } from "preact/hooks";
import { failureOf } from "../api/client";
import { readView, viewStream } from "../api/masks";
import type { ViewMessage } from "../geometry/types";
import { chartOf, type Chart } from "../masks/chart";

/** Why outlines may not be where they are drawn; the worst that holds. */
export type Doubt = "none" | "moving" | "unknown" | "silent";

export interface LookingAt {
  /** The last view that was known. */
  view: ViewMessage | null;
  chart: Chart | null;
  doubt: Doubt;
  /** The gateway's reason, in English. */
  why: string | null;
}

const SILENT_AFTER_MS = 2000;
/** A stream that spoke so shortly ago ended; it was not lost. */
const FRESH_MS = 500;
const AGAIN_AFTER_MS = 2000;
const LOOK_EVERY_MS = 500;

interface Heard {
  text: string | null;
  why: string | null;
  silent: boolean;
}

export function useView(camera: string, expired: () => void): LookingAt {
  const [heard, setHeard] = useState<Heard>({ text: null, why: null, silent: false });

  useEffect(() => {
    let stream: EventSource | null = null;
    let latest: Heard = { text: null, why: null, silent: false };
    let [frame, again, gone] = [0, 0, false];
    let at = performance.now();
    const show = () => {
      frame = 0;
      // An equal view is no news: nothing is drawn anew while the camera stands still.
      setHeard((old) =>
        old.text === latest.text && old.why === latest.why && old.silent === latest.silent ? old : latest,
      );
    };
    const note = (now: Partial<Heard>) => {
      latest = { ...latest, ...now };
      frame ||= window.requestAnimationFrame(show);
    };
    const open = () => {
      stream = viewStream(camera);
      stream.onmessage = ({ data }) => {
        at = performance.now();
        note({ text: String(data), why: null, silent: false });
      };
      stream.addEventListener("unknown", (event) => {
        at = performance.now();
        note({ why: reasonIn((event as MessageEvent).data), silent: false });
      });
      stream.onerror = () => {
        if (gone) return;
        if (stream?.readyState === EventSource.CONNECTING && performance.now() - at < FRESH_MS) {
          // The gateway ends long streams; the browser would wait for seconds before it asks again.
          stream.close();
          return open();
        }
        if (stream?.readyState !== EventSource.CLOSED) return;
        // A stream cannot say why it was refused; an ordinary request can.
        readView(camera).catch((error) => {
          if (!gone && failureOf(error).kind === "logged-out") expired();
        });
        again = window.setTimeout(open, AGAIN_AFTER_MS);
      };
    };
    open();
    const timer = window.setInterval(() => {
      if (performance.now() - at > SILENT_AFTER_MS) note({ silent: true });
    }, LOOK_EVERY_MS);
    return () => {
      gone = true;
      stream?.close();
      window.clearTimeout(again);
      window.clearInterval(timer);
      window.cancelAnimationFrame(frame);
    };
  }, [camera, expired]);

  return useMemo(() => lookingAt(heard), [heard]);
}

function lookingAt({ text, why, silent }: Heard): LookingAt {
  const known = text === null ? null : parse(text);
  if (!known) return { view: null, chart: null, doubt: silent ? "silent" : "unknown", why };
  if (known.view.kind !== "turning") return { ...known, doubt: "none", why };
  if (silent) return { ...known, doubt: "silent", why: null };
  if (why !== null) return { ...known, doubt: "unknown", why };
  return { ...known, doubt: known.view.moving ? "moving" : "none", why };
}

function parse(text: string): { view: ViewMessage; chart: Chart } | null {
  try {
    const view = JSON.parse(text) as ViewMessage;
    return { view, chart: chartOf(view) };
  } catch {
    return null;
  }
}

function reasonIn(data: unknown): string {
  try {
    return String((JSON.parse(String(data)) as { why: unknown }).why);
  } catch {
    return "";
  }
}
