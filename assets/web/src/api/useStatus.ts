// The gateway's status, asked for once a second for the whole page.

import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, gatewayStatus } from "./client";
import type { GatewayStatus } from "./model";

export interface StatusView {
  /** The last one that came; none before the first. */
  status: GatewayStatus | null;
  /** For how many seconds the gateway has not answered; 0 while it does. */
  silentS: number;
  /** Grows each time the gateway answers again after it did not. */
  comebacks: number;
}

const INTERVAL_MS = 1000;
/** Older figures are not shown as if they were of now. */
export const STALE_AFTER_S = 3;

export function useStatus(expired: () => void): StatusView {
  const [view, setView] = useState<StatusView>({ status: null, silentS: 0, comebacks: 0 });
  const heard = useRef(performance.now());

  useEffect(() => {
    let gone = false;
    let asking = false;
    const silentS = () => Math.floor((performance.now() - heard.current) / 1000);
    const ask = async () => {
      if (asking) {
        // An answer that does not come is told while one still waits for it.
        if (silentS() >= STALE_AFTER_S) setView((v) => ({ ...v, silentS: silentS() }));
        return;
      }
      asking = true;
      try {
        const status = await gatewayStatus();
        if (gone) return;
        heard.current = performance.now();
        setView((v) => ({ status, silentS: 0, comebacks: v.comebacks + (v.silentS > 0 ? 1 : 0) }));
      } catch (error) {
        if (gone) return;
        if (failureOf(error).kind === "logged-out") return expired();
        setView((v) => ({ ...v, silentS: Math.max(1, silentS()) }));
      } finally {
        asking = false;
      }
    };
    void ask();
    const timer = window.setInterval(ask, INTERVAL_MS);
    return () => {
      gone = true;
      window.clearInterval(timer);
    };
  }, [expired]);
  return view;
}
