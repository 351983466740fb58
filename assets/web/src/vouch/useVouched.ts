// The presets of a camera that cannot tell where it looks, read again whenever one of them changes.

import { useCallback, useEffect, useState } from "preact/hooks";
import { failureOf } from "../api/client";
import type { VouchedPreset } from "../api/model";
import { readVouched } from "../api/vouch";
import type { CameraView } from "../view";

export interface Vouched {
  /** None before the first answer. */
  presets: readonly VouchedPreset[] | null;
  failed: boolean;
  reload: () => void;
}

/** `wanted` is false for cameras of another kind. */
export function useVouched(camera: CameraView, wanted: boolean, expired: () => void): Vouched {
  const [presets, setPresets] = useState<readonly VouchedPreset[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  // Others vouch and withdraw, too: the status counts.
  const counts = camera.status?.presets.map(({ id, verified }) => `${id} ${verified}`).join() ?? "";
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    readVouched(camera.id).then(
      (list) => {
        if (gone) return;
        setPresets(list);
        setFailed(false);
      },
      (error) => {
        if (gone) return;
        if (failureOf(error).kind === "logged-out") expired();
        else setFailed(true);
      },
    );
    return () => {
      gone = true;
    };
  }, [camera.id, wanted, counts, round, expired]);
  return { presets, failed, reload: useCallback(() => setRound((n) => n + 1), []) };
}

/** The preset on which the camera rests now, as far as its picture shows. */
export function restingOn(camera: CameraView): string | null {
  return camera.status?.presets.find(({ resting }) => resting)?.id ?? null;
}

/** What people call a preset. */
export function nameOf(presets: readonly VouchedPreset[] | null, id: string): string {
  return presets?.find((preset) => preset.id === id)?.name ?? id;
}
