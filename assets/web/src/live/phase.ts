// The course of one camera's live connection: pure, without a browser.

/** Why there is no live picture. */
export type Cause =
  | "unreachable"
  | "busy"
  | "no-codec"
  | "forbidden"
  | "unknown-camera"
  | "refused"
  /** The gateway answered, yet no way for the video was found. */
  | "blocked"
  | "lost"
  | "no-picture"
  | "unsupported"
  | "logged-out";

/** `failures` counts tries in a row that did not last. */
export type Phase =
  | { kind: "idle" }
  | { kind: "connecting"; failures: number }
  | { kind: "connected"; failures: number }
  | { kind: "waiting"; failures: number; delayMs: number; cause: Cause }
  | { kind: "ended"; cause: Cause };

export type Happening =
  | { kind: "start" }
  | { kind: "connected" }
  /** It has been connected for a while: the next failure is a first one. */
  | { kind: "steady" }
  | { kind: "failed"; cause: Cause }
  /** The wait is over. */
  | { kind: "due" }
  /** There is a sign that trying now is worth it: the gateway answers again. */
  | { kind: "wake" }
  | { kind: "stop" };

/** Trying again by itself would not help. */
const FINAL: readonly Cause[] = ["forbidden", "no-codec", "unsupported", "logged-out"];

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 10_000;
/** So that sixteen cells do not come back in the same instant. */
const SPREAD = 0.25;

/** The wait after so many failures in a row (1 or more); `random` in [0, 1). */
export function delayMs(failures: number, random: number): number {
  const doubled = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
  return Math.min(Math.round(doubled * (1 + SPREAD * random)), LONGEST_DELAY_MS);
}

/** What a phase becomes; the same object where a happening changes nothing. */
export function next(phase: Phase, happening: Happening, random: number): Phase {
  switch (happening.kind) {
    case "start":
      return phase.kind === "idle" || phase.kind === "ended" ? { kind: "connecting", failures: 0 } : phase;
    case "connected":
      return phase.kind === "connecting" ? { kind: "connected", failures: phase.failures } : phase;
    case "steady":
      return phase.kind === "connected" && phase.failures > 0 ? { kind: "connected", failures: 0 } : phase;
    case "failed": {
      if (phase.kind !== "connecting" && phase.kind !== "connected") return phase;
      const { cause } = happening;
      if (FINAL.includes(cause)) return { kind: "ended", cause };
      const failures = phase.failures + 1;
      return { kind: "waiting", failures, delayMs: delayMs(failures, random), cause };
    }
    case "due":
      return phase.kind === "waiting" ? { kind: "connecting", failures: phase.failures } : phase;
    case "wake":
      return phase.kind === "waiting" ? { kind: "connecting", failures: 0 } : phase;
    case "stop":
      return { kind: "idle" };
  }
}
