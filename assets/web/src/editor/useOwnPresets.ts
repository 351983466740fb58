// The presets that the camera keeps itself.

import { useCallback, useEffect, useState } from "preact/hooks";
import { failureOf } from "../api/client";
import { readOwnPresets } from "../api/steering";
import type { OwnPreset } from "../api/model";

export interface OwnPresets {
  list: readonly OwnPreset[];
  failed: boolean;
  reload: () => void;
}

const NONE: readonly OwnPreset[] = [];

/** `asks`: whether the camera has such presets at all. */
export function useOwnPresets(camera: string, asks: boolean, expired: () => void): OwnPresets {
  const [list, setList] = useState(NONE);
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!asks) return setList(NONE);
    let gone = false;
    setFailed(false);
    readOwnPresets(camera).then(
      (presets) => !gone && setList(presets),
      (error) => {
        if (gone) return;
        if (failureOf(error).kind === "logged-out") expired();
        else setFailed(true);
      },
    );
    return () => {
      gone = true;
    };
  }, [camera, asks, round, expired]);
  return { list, failed, reload: useCallback(() => setRound((n) => n + 1), []) };
}
