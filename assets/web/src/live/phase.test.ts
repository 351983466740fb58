import { describe, expect, test } from "vitest";
import { delayMs, next, type Cause, type Happening, type Phase } from "./phase";

const idle: Phase = { kind: "idle" };
const connecting = (failures: number): Phase => ({ kind: "connecting", failures });
const connected = (failures: number): Phase => ({ kind: "connected", failures });
const waiting = (failures: number, delay: number, cause: Cause = "lost"): Phase => ({
  kind: "waiting",
  failures,
  delayMs: delay,
  cause,
});
const ended = (cause: Cause): Phase => ({ kind: "ended", cause });
const failed = (cause: Cause): Happening => ({ kind: "failed", cause });

describe("what a phase becomes", () => {
  test.each<[string, Phase, Happening, Phase]>([
    ["it starts", idle, { kind: "start" }, connecting(0)],
    ["a try succeeds", connecting(2), { kind: "connected" }, connected(2)],
    ["it lasts", connected(2), { kind: "steady" }, connected(0)],
    ["a first failure waits shortly", connecting(0), failed("unreachable"), waiting(1, 1000, "unreachable")],
    ["a short success does not shorten the wait", connected(2), failed("lost"), waiting(3, 4000)],
    ["the wait is over", waiting(3, 4000), { kind: "due" }, connecting(3)],
    ["the gateway is there again", waiting(5, 10_000), { kind: "wake" }, connecting(0)],
    ["a role that may not is not asked again", connecting(0), failed("forbidden"), ended("forbidden")],
    ["a session that ended is not asked again", connected(0), failed("logged-out"), ended("logged-out")],
    ["a person wants to try again", ended("no-codec"), { kind: "start" }, connecting(0)],
    ["it stops while it waits", waiting(1, 1000), { kind: "stop" }, idle],
    ["it stops while it plays", connected(0), { kind: "stop" }, idle],
  ])("%s", (_, phase, happening, expected) => {
    expect(next(phase, happening, 0)).toEqual(expected);
  });

  test.each<[string, Phase, Happening]>([
    ["a start while it plays", connected(0), { kind: "start" }],
    ["a wake while it plays", connected(1), { kind: "wake" }],
    ["a wake of what has ended", ended("forbidden"), { kind: "wake" }],
    ["a failure after it was stopped", idle, failed("lost")],
    ["a second failure of one try", waiting(1, 1000), failed("lost")],
    ["steady without a failure", connected(0), { kind: "steady" }],
    ["a wait that ends after a stop", idle, { kind: "due" }],
  ])("nothing: %s", (_, phase, happening) => {
    expect(next(phase, happening, 0)).toBe(phase);
  });
});

test.each([
  [1, 0, 1000],
  [1, 0.999, 1250],
  [2, 0, 2000],
  [4, 0, 8000],
  [4, 0.999, 9998],
  [5, 0, 10_000],
  [2000, 0.999, 10_000],
])("the wait after %i failures with chance %d is %i ms", (failures, random, ms) => {
  expect(delayMs(failures, random)).toBe(ms);
});
