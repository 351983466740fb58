// Keeps one live connection going: opens, waits, opens again.
//
// Knows neither the DOM nor WebRTC: what opens a connection and what keeps time
// are given to it.

import { next, type Cause, type Happening, type Phase } from "./phase";

/** What a try tells about itself. */
export interface Report {
  connected: () => void;
  failed: (cause: Cause) => void;
}

/** A try that is under way or stands. Nothing is reported after `close`. */
export interface Attempt {
  close: () => void;
}

export interface Surroundings {
  open: (report: Report) => Attempt;
  /** Calls later; the answer cancels. */
  after: (ms: number, call: () => void) => () => void;
  random: () => number;
}

/** A try that has not connected by then has failed. */
export const CONNECT_WITHIN_MS = 10_000;
/** Connected for so long, the next failure counts as a first one. */
export const STEADY_AFTER_MS = 15_000;

export class LiveConnection {
  private phase: Phase = { kind: "idle" };
  private attempt: Attempt | null = null;
  private cancelTimer: () => void = () => {};

  constructor(
    private readonly around: Surroundings,
    private readonly changed: (phase: Phase) => void,
  ) {}

  start(): void {
    this.happen({ kind: "start" });
  }

  stop(): void {
    this.happen({ kind: "stop" });
  }

  /** Do not wait any longer: the gateway is there again. */
  wake(): void {
    this.happen({ kind: "wake" });
  }

  /** It is connected, yet nothing comes: give it up and try anew. */
  giveUp(cause: Cause): void {
    if (this.phase.kind === "connected") this.happen({ kind: "failed", cause });
  }

  private happen(happening: Happening): void {
    const before = this.phase;
    const phase = next(before, happening, this.around.random());
    if (phase === before) return;
    this.phase = phase;
    this.cancelTimer();
    this.cancelTimer = () => {};
    if (phase.kind !== "connected") this.closeAttempt();
    this.changed(phase);
    this.enter(phase);
  }

  private enter(phase: Phase): void {
    const later = (ms: number, happening: Happening) => {
      this.cancelTimer = this.around.after(ms, () => this.happen(happening));
    };
    switch (phase.kind) {
      case "connecting":
        later(CONNECT_WITHIN_MS, { kind: "failed", cause: "blocked" });
        return this.open();
      case "connected":
        return later(STEADY_AFTER_MS, { kind: "steady" });
      case "waiting":
        return later(phase.delayMs, { kind: "due" });
      case "idle":
      case "ended":
    }
  }

  private open(): void {
    let current = true;
    const attempt = this.around.open({
      connected: () => current && this.happen({ kind: "connected" }),
      failed: (cause) => current && this.happen({ kind: "failed", cause }),
    });
    this.attempt = {
      close: () => {
        current = false;
        attempt.close();
      },
    };
  }

  private closeAttempt(): void {
    const attempt = this.attempt;
    this.attempt = null;
    attempt?.close();
  }
}
