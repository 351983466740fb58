// The permit for clear stills of one camera, followed while the page shows it.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { failureOf } from "./client";
import { readPermit, type Heard, type StillPermit } from "./still";

export interface PermitView {
  /** None before the first answer. */
  permit: StillPermit | null;
  /** For how many seconds it goes on; 0 = there is none. */
  leftS: number;
  /** Takes over what the gateway answered to something else. */
  take: (heard: Heard) => void;
  reload: () => void;
}

const ASK_EVERY_MS = 5000;

/** `wanted` is false for those who need not know. */
export function usePermit(camera: string, wanted: boolean, expired: () => void): PermitView {
  const [permit, setPermit] = useState<StillPermit | null>(null);
  const [leftS, setLeftS] = useState(0);
  const [round, setRound] = useState(0);
  const ends = useRef(0);
  const count = useCallback(() => setLeftS(Math.max(0, Math.ceil((ends.current - performance.now()) / 1000))), []);
  const take = useCallback(
    ({ permit, leftMs }: Heard) => {
      ends.current = performance.now() + leftMs;
      setPermit(permit);
      count();
    },
    [count],
  );

  useEffect(() => {
    if (!wanted) return;
    let [gone, asking] = [false, false];
    const ask = async () => {
      if (asking) return;
      asking = true;
      try {
        const heard = await readPermit(camera);
        if (gone) return;
        take(heard);
        // What the gateway does not offer it offers after its next start at the earliest.
        if (!heard.permit.offered) window.clearInterval(timer);
      } catch (error) {
        const { kind } = failureOf(error);
        if (gone) return;
        if (kind === "logged-out") expired();
        // Without a right to know there is nothing to ask for again.
        if (kind === "refused") window.clearInterval(timer);
      } finally {
        asking = false;
      }
    };
    const timer = window.setInterval(ask, ASK_EVERY_MS);
    const second = window.setInterval(count, 1000);
    void ask();
    return () => {
      gone = true;
      window.clearInterval(timer);
      window.clearInterval(second);
    };
  }, [camera, wanted, expired, round, take, count]);

  return { permit, leftS, take, reload: useCallback(() => setRound((n) => n + 1), []) };
}
