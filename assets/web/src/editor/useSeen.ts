// What the camera has looked at since the editor was opened.

import { useEffect, useRef, useState } from "preact/hooks";
import { look, noCells, type Cells } from "../geometry/globe";
import type { LookingAt } from "./useView";

export interface Seen {
  cells: Cells;
  /** Grows when cells were added. */
  round: number;
}

const SHOW_EVERY_MS = 500;

export function useSeen({ view, doubt }: LookingAt): Seen {
  const [round, setRound] = useState(0);
  const cells = useRef<Cells | null>(null);
  cells.current ??= noCells();
  const fresh = useRef(0);
  useEffect(() => {
    // Where it is not known where the camera looks, nothing is known to be looked at.
    if (view?.kind !== "turning" || doubt === "unknown" || doubt === "silent" || !cells.current) return;
    try {
      fresh.current += look(cells.current, view);
    } catch {
      // No view: see `lookingAt`.
    }
  }, [view, doubt]);
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (fresh.current === 0) return;
      fresh.current = 0;
      setRound((n) => n + 1);
    }, SHOW_EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return { cells: cells.current, round };
}
