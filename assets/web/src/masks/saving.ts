// The course of saving: reason, sending, a version of somebody else in between.
// Pure: who sends is the page.

import type { Failure } from "../api/client";
import type { MaskDocument } from "./document";
import { zoneOfMistake, type Mistake, type Version } from "./versions";

/** What is to become the next version. */
export type Work = { kind: "save"; document: MaskDocument } | { kind: "restore"; number: number };

export type Outcome =
  | { kind: "saved"; version: Version }
  | { kind: "conflict"; current: Version }
  | { kind: "mistakes"; mistakes: Mistake[] }
  | { kind: "needs-reason" }
  | { kind: "failed"; failure: Failure };

export type Trouble = { kind: "needs-reason" } | { kind: "failed"; failure: Failure };

export type PlacedMistake = Mistake & { zone: string | null };

/** `over`: somebody else's version that one has looked at and goes on over. */
export type Saving =
  | { step: "closed"; saved: Version | null; mistakes: PlacedMistake[] }
  | { step: "asking"; work: Work; reason: string; over: Version | null; trouble: Trouble | null }
  | { step: "sending"; work: Work; reason: string; over: Version | null }
  | { step: "conflict"; work: Work; reason: string; current: Version };

export type SavingEvent =
  | { do: "ask"; work: Work }
  | { do: "reason"; text: string }
  /** The document was completed while it is asked about. */
  | { do: "document"; document: MaskDocument }
  | { do: "send" }
  | { do: "answer"; outcome: Outcome }
  | { do: "go-on" }
  | { do: "close" };

export const NOT_SAVING: Saving = { step: "closed", saved: null, mistakes: [] };

export function saving(state: Saving, event: SavingEvent): Saving {
  switch (event.do) {
    case "ask":
      // One at a time: an answer under way must find its own question.
      return state.step === "sending"
        ? state
        : { step: "asking", work: event.work, reason: "", over: null, trouble: null };
    case "reason":
      return state.step === "asking" ? { ...state, reason: event.text } : state;
    case "document":
      if (state.step !== "asking" || state.work.kind !== "save") return state;
      return { ...state, work: { kind: "save", document: event.document } };
    case "send":
      if (state.step !== "asking") return state;
      return { step: "sending", work: state.work, reason: state.reason, over: state.over };
    case "answer":
      return state.step === "sending" ? answered(state, event.outcome) : state;
    case "go-on":
      if (state.step !== "conflict") return state;
      return { step: "sending", work: state.work, reason: state.reason, over: state.current };
    case "close":
      return state.step === "sending" ? state : NOT_SAVING;
  }
}

function answered(state: Extract<Saving, { step: "sending" }>, outcome: Outcome): Saving {
  const { work, reason, over } = state;
  switch (outcome.kind) {
    case "saved":
      return { step: "closed", saved: outcome.version, mistakes: [] };
    case "conflict":
      return { step: "conflict", work, reason, current: outcome.current };
    case "mistakes": {
      const zone = (mistake: Mistake) => (work.kind === "save" ? zoneOfMistake(mistake, work.document) : null);
      const mistakes = outcome.mistakes.map((mistake) => ({ ...mistake, zone: zone(mistake) }));
      return { step: "closed", saved: null, mistakes };
    }
    case "needs-reason":
      return { step: "asking", work, reason, over, trouble: { kind: "needs-reason" } };
    case "failed":
      return { step: "asking", work, reason, over, trouble: { kind: "failed", failure: outcome.failure } };
  }
}
