// The masks of a camera as the gateway has them.

import { useCallback, useEffect, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import { readMasks, type Holder } from "../api/masks";
import type { Masks } from "../masks/versions";

export type Loaded = { kind: "loading" } | { kind: "failed"; failure: Failure } | { kind: "loaded"; masks: Masks };

export function useMasks(holder: Holder, expired: () => void): { loaded: Loaded; reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded>({ kind: "loading" });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    setLoaded({ kind: "loading" });
    readMasks(holder).then(
      (masks) => !gone && setLoaded({ kind: "loaded", masks }),
      (error) => {
        if (gone) return;
        const failure = failureOf(error);
        if (failure.kind === "logged-out") expired();
        else setLoaded({ kind: "failed", failure });
      },
    );
    return () => {
      gone = true;
    };
  }, [holder, round, expired]);
  return { loaded, reload: useCallback(() => setRound((n) => n + 1), []) };
}
