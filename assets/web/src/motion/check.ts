// The motion check: drives the camera through a sweep and keeps what was seen
// on the way. Pure: the page gives it a look ten times a second and does what it asks.

import { nearestTurn } from "../geometry/vector";
import type { Command, Move } from "../steering/course";

export type Speed = "slow" | "middle" | "fast";
export type Leg =
  { kind: "pan"; speed: Speed; direction: 1 | -1 } | { kind: "zoom"; direction: 1 | -1 } | { kind: "back" };

/** Of a comfortable speed. */
const SPEEDS: Record<Speed, number> = { slow: 0.2, middle: 0.5, fast: 1 };

/** How the picture is masked; `unknown` also while none comes. */
export type Seen = "live" | "widened" | "covered" | "unknown";

/** What is known at one moment. `pan_deg` and the rest are null where the position is not known. */
export interface Look {
  at_s: number;
  pan_deg: number | null;
  tilt_deg: number | null;
  zoom: number | null;
  hfov_deg: number | null;
  margin_deg: number | null;
  moving: boolean;
  state: Seen;
  /** A code, or the gateway's words. */
  reason: string | null;
}

export interface Passed {
  leg: Leg;
  from_s: number;
  to_s: number;
  /** `short`: the camera went no further, or it took too long. */
  how: "reached" | "short" | "broken-off";
}

export type End = "done" | "stopped" | "refused" | "no-position";

export interface Check {
  legs: readonly Leg[];
  span_deg: number;
  start: { pan_deg: number; tilt_deg: number; zoom: number | null };
  samples: readonly Look[];
  passed: readonly Passed[];
  /** Of the leg of now. */
  since_s: number;
  /** The last look of this leg in which something had moved. */
  moved_s: number;
  /** Turns counted; what was last known. */
  pan_deg: number;
  hfov_deg: number | null;
  known_s: number;
  end: End | null;
}

/** What the page should do now: hold a move, send a command once, or neither. */
export type Drive = { hold: Move } | { send: Exclude<Command, { kind: "move" }> } | null;

const LONGEST_S: Record<Leg["kind"], number> = { pan: 20, zoom: 12, back: 15 };
/** So long a camera may take to set out, or to be told that it has. */
const SETS_OUT_S = 2;
const STANDS_S = 1.2;
const WITHOUT_POSITION_S = 3;
const MOVED_DEG = 0.02;
const ZOOMED = 0.002;
const BACK_DEG = 0.15;
/** Ten a second for the longest course there is, and some. */
const MOST_SAMPLES = 3000;

export function courseOf(): Leg[] {
  const speeds: Speed[] = ["slow", "middle", "fast"];
  const pans = speeds.flatMap((speed): Leg[] => [
    { kind: "pan", speed, direction: 1 },
    { kind: "pan", speed, direction: -1 },
  ]);
  return [...pans, { kind: "back" }, { kind: "zoom", direction: 1 }, { kind: "zoom", direction: -1 }, { kind: "back" }];
}

/** None where it is not known where the camera looks. */
export function beginCheck(look: Look, span_deg: number): Check | null {
  if (look.pan_deg === null || look.tilt_deg === null) return null;
  return {
    legs: courseOf(),
    span_deg,
    start: { pan_deg: look.pan_deg, tilt_deg: look.tilt_deg, zoom: look.zoom },
    samples: [look],
    passed: [],
    since_s: look.at_s,
    moved_s: look.at_s,
    pan_deg: look.pan_deg,
    hfov_deg: look.hfov_deg,
    known_s: look.at_s,
    end: null,
  };
}

export function legOf(check: Check): Leg | null {
  return check.end ? null : (check.legs[check.passed.length] ?? null);
}

/** The check after a look, and what to do. */
export function advance(before: Check, look: Look): [Check, Drive] {
  const leg = legOf(before);
  if (!leg) return [before, null];
  const check = noted(before, look);
  if (look.at_s - check.known_s > WITHOUT_POSITION_S) return [ended(check, "no-position"), { send: { kind: "stop" } }];
  const how = over(check, leg, look);
  if (!how) return [check, leg.kind === "back" ? null : { hold: moveOf(leg) }];
  const passed = [...check.passed, { leg, from_s: check.since_s, to_s: look.at_s, how }];
  const next: Check = { ...check, passed, since_s: look.at_s, moved_s: look.at_s };
  const following = next.legs[passed.length];
  if (!following) return [{ ...next, end: "done" }, { send: { kind: "stop" } }];
  return [next, following.kind === "back" ? { send: { kind: "go", ...next.start } } : { hold: moveOf(following) }];
}

/** Ends it before its time; what was seen stays. */
export function ended(check: Check, end: End): Check {
  const leg = legOf(check);
  if (!leg) return check;
  const to_s = check.samples[check.samples.length - 1]?.at_s ?? check.since_s;
  return { ...check, passed: [...check.passed, { leg, from_s: check.since_s, to_s, how: "broken-off" }], end };
}

function moveOf(leg: Exclude<Leg, { kind: "back" }>): Move {
  if (leg.kind === "zoom") return { pan: 0, tilt: 0, zoom: leg.direction * SPEEDS.middle };
  return { pan: leg.direction * SPEEDS[leg.speed], tilt: 0, zoom: 0 };
}

function noted(check: Check, look: Look): Check {
  const samples = [...check.samples, look].slice(-MOST_SAMPLES);
  if (look.pan_deg === null) return { ...check, samples };
  const pan_deg = nearestTurn(look.pan_deg, check.pan_deg);
  const zoomed =
    look.hfov_deg !== null && check.hfov_deg !== null && Math.abs(Math.log(look.hfov_deg / check.hfov_deg)) > ZOOMED;
  const moved = zoomed || Math.abs(pan_deg - check.pan_deg) > MOVED_DEG;
  return {
    ...check,
    samples,
    // Compared with where something had moved last: a slow turn is one too.
    ...(moved
      ? { pan_deg, hfov_deg: look.hfov_deg, moved_s: look.at_s }
      : { hfov_deg: check.hfov_deg ?? look.hfov_deg }),
    known_s: look.at_s,
  };
}

function over(check: Check, leg: Leg, look: Look): Passed["how"] | null {
  const lasted = look.at_s - check.since_s;
  if (lasted > LONGEST_S[leg.kind]) return "short";
  if (leg.kind === "pan" && leg.direction * (check.pan_deg - check.start.pan_deg) >= check.span_deg) return "reached";
  const stands = lasted > SETS_OUT_S && look.at_s - check.moved_s > STANDS_S;
  if (!stands) return null;
  if (leg.kind === "pan") return "short";
  // A zoom goes as far as the camera does.
  if (leg.kind === "zoom") return "reached";
  return Math.abs(check.pan_deg - check.start.pan_deg) <= BACK_DEG ? "reached" : "short";
}
