import { expect, test } from "vitest";
import { street } from "./sample";
import { NOT_SAVING, saving, type Outcome, type Saving, type SavingEvent, type Work } from "./saving";
import type { Version } from "./versions";

const version = (number: number, author = "joris"): Version => ({
  number,
  sha256: `sha-${number}`,
  saved: "2026-11-22T11:02:03Z",
  author,
  reason: null,
  covers_less: false,
  restores: null,
  state: "active",
  second: null,
});
const work: Work = { kind: "save", document: street() };
const restore: Work = { kind: "restore", number: 2 };
const answer = (outcome: Outcome): SavingEvent => ({ do: "answer", outcome });
const course = (...events: SavingEvent[]): Saving => events.reduce(saving, NOT_SAVING);
const sent: SavingEvent[] = [{ do: "ask", work }, { do: "reason", text: "why" }, { do: "send" }];
const conflict = answer({ kind: "conflict", current: version(8) });
const failure = { kind: "unreachable" } as const;

test.each<[string, SavingEvent[], Partial<Saving>]>([
  ["asking", [{ do: "ask", work }], { step: "asking", reason: "", over: null, trouble: null }],
  ["sent", sent, { step: "sending", reason: "why", over: null }],
  ["saved", [...sent, answer({ kind: "saved", version: version(8) })], { step: "closed", saved: version(8) }],
  [
    "a reason is needed",
    [...sent, answer({ kind: "needs-reason" })],
    { step: "asking", reason: "why", trouble: { kind: "needs-reason" } },
  ],
  [
    "no answer: the reason stays",
    [...sent, answer({ kind: "failed", failure })],
    { step: "asking", reason: "why", trouble: { kind: "failed", failure } },
  ],
  ["somebody saved", [...sent, conflict], { step: "conflict", reason: "why", current: version(8) }],
  ["on over theirs", [...sent, conflict, { do: "go-on" }], { step: "sending", reason: "why", over: version(8) }],
  [
    "a third one saved",
    [...sent, conflict, { do: "go-on" }, answer({ kind: "conflict", current: version(9) })],
    { step: "conflict", current: version(9) },
  ],
  [
    "over theirs, yet a reason is needed",
    [...sent, conflict, { do: "go-on" }, answer({ kind: "needs-reason" })],
    { step: "asking", over: version(8) },
  ],
  ["back to the draft", [...sent, conflict, { do: "close" }], NOT_SAVING],
  ["while it is sent nothing closes it", [...sent, { do: "close" }], { step: "sending" }],
  ["while it is sent nothing else is asked", [...sent, { do: "ask", work: restore }], { step: "sending", work }],
  ["an answer nobody waits for", [answer({ kind: "saved", version: version(8) })], NOT_SAVING],
  ["going on without a conflict", [{ do: "ask", work }, { do: "go-on" }], { step: "asking" }],
  [
    "restoring meets a conflict too",
    [{ do: "ask", work: restore }, { do: "send" }, conflict, { do: "go-on" }],
    { step: "sending", work: restore, over: version(8) },
  ],
])("%s", (_, events, state) => {
  expect(course(...events)).toMatchObject(state);
});

test.each([
  ["zones[1].shape.points", "garden"],
  ["zones[1]", "garden"],
  ["zones[7].points", null],
  ["presets[0].trims", null],
])("a mistake at %s stands beside %s", (path, zone) => {
  const mistake = { path, what: "Wrong.", remedy: "close it" };
  const state = course(...sent, answer({ kind: "mistakes", mistakes: [mistake] }));
  expect(state).toEqual({ step: "closed", saved: null, mistakes: [{ ...mistake, zone }] });
});
