// A clear still under the drawing: fetched, kept while it is permitted, and never longer.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import { fetchStill } from "../api/still";
import { usePermit, type PermitView } from "../api/usePermit";
import { chartOf } from "../masks/chart";
import type { LookingAt } from "./useView";

export interface Frozen {
  /** Of this page only; gone with it. */
  url: string;
  at: Date;
  looking: LookingAt;
}

export interface StillHandle extends PermitView {
  frozen: Frozen | null;
  busy: boolean;
  failure: Failure | null;
  fetch: () => void;
  back: () => void;
}

export function useStill(camera: string, may: boolean, expired: () => void): StillHandle {
  const view = usePermit(camera, may, expired);
  const [frozen, setFrozen] = useState<Frozen | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const url = useRef<string | null>(null);
  const gone = useRef(false);
  const { reload } = view;

  const show = useCallback((next: Frozen | null) => {
    if (url.current) URL.revokeObjectURL(url.current);
    url.current = next?.url ?? null;
    setFrozen(next);
  }, []);
  const fetch = useCallback(async () => {
    setBusy(true);
    setFailure(null);
    try {
      const still = await fetchStill(camera);
      if (gone.current) return;
      const looking: LookingAt = { view: still.view, chart: chartOf(still.view), doubt: "none", why: null };
      show({ url: URL.createObjectURL(still.picture), at: new Date(), looking });
    } catch (error) {
      if (gone.current) return;
      const failure = failureOf(error);
      if (failure.kind === "logged-out") return expired();
      setFailure(failure);
      reload();
    } finally {
      setBusy(false);
    }
  }, [camera, expired, reload, show]);
  const back = useCallback(() => show(null), [show]);

  const over = view.leftS === 0;
  useEffect(() => {
    if (over) show(null);
  }, [over, show]);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      if (url.current) URL.revokeObjectURL(url.current);
    };
  }, []);
  return useMemo(
    () => ({ ...view, frozen, busy, failure, fetch: () => void fetch(), back }),
    [view, frozen, busy, failure, fetch, back],
  );
}
