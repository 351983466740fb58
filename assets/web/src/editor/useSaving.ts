// Sends what is to be saved and follows the course of it.

import { useEffect, useReducer, useRef } from "preact/hooks";
import { submit, type Holder } from "../api/masks";
import { NOT_SAVING, saving, type Saving, type SavingEvent, type Work } from "../masks/saving";
import type { Version } from "../masks/versions";

interface Props {
  holder: Holder;
  /** The version that was edited. */
  base: string;
  saved: (version: Version, work: Work) => void;
  expired: () => void;
}

export function useSaving({ holder, base, saved, expired }: Props): [Saving, (event: SavingEvent) => void] {
  const [state, dispatch] = useReducer(saving, NOT_SAVING);
  const current = useRef({ saved, expired });
  current.current = { saved, expired };
  useEffect(() => {
    if (state.step !== "sending") return;
    let gone = false;
    const { work, reason, over } = state;
    void submit(holder, work, reason, over?.sha256 ?? base).then((outcome) => {
      if (gone) return;
      // Back to the login page; the draft is offered after it.
      if (outcome.kind === "failed" && outcome.failure.kind === "logged-out") return current.current.expired();
      if (outcome.kind === "saved") current.current.saved(outcome.version, work);
      dispatch({ do: "answer", outcome });
    });
    return () => {
      gone = true;
    };
  }, [state]);
  return [state, dispatch];
}
