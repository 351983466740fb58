// The course of steering: which request goes out next. At most one is under
// way; what is wanted last comes first. Pure: who sends and counts time is the page.

import type { Failure } from "../api/client";

/** Shares of a comfortable speed, −1 to 1: to the right, upwards, nearer. */
export interface Move {
  pan: number;
  tilt: number;
  zoom: number;
}

export type Command =
  | { kind: "move"; move: Move }
  | { kind: "stop" }
  | { kind: "go"; pan_deg: number; tilt_deg: number; zoom: number | null }
  | { kind: "toward"; pan_deg: number; tilt_deg: number }
  | { kind: "home" }
  | { kind: "preset"; token: string };

export interface Course {
  /** The hand holds this. */
  held: Move | null;
  /** Waits until the request under way is answered. */
  next: Exclude<Command, { kind: "move" }> | null;
  underWay: Command | null;
  /** Moves were sent and no stop since. */
  turning: boolean;
  sent: Move | null;
  sentMs: number;
  /** A hold was refused: nothing goes out until the hand has let go. */
  refused: boolean;
  trouble: Failure | null;
}

export type CourseEvent =
  | { do: "hold"; move: Move }
  | { do: "let-go" }
  | { do: "command"; command: Exclude<Command, { kind: "move" }> }
  | { do: "tick" }
  | { do: "answer"; failure: Failure | null }
  | { do: "dismiss" };

export const AT_REST: Course = {
  held: null,
  next: null,
  underWay: null,
  turning: false,
  sent: null,
  sentMs: Number.NEGATIVE_INFINITY,
  refused: false,
  trouble: null,
};

/** The camera stops 0.7 s after the last move it was told. */
const REPEAT_MS = 250;
/** A hand that moves is followed no faster: the gateway takes twenty commands a second. */
const FOLLOW_MS = 100;

/** The course after `event`, and the request to send now. */
export function steer(course: Course, event: CourseEvent, nowMs: number): [Course, Command | null] {
  const after = heard(course, event);
  const command = after.underWay ? null : due(after, nowMs);
  if (!command) return [after, null];
  if (command.kind === "move") {
    return [{ ...after, underWay: command, turning: true, sent: command.move, sentMs: nowMs }, command];
  }
  return [{ ...after, underWay: command, next: null, turning: false, sent: null }, command];
}

function heard(course: Course, event: CourseEvent): Course {
  switch (event.do) {
    case "hold":
      if (course.refused) return course;
      if (isStill(event.move)) return stopped(course);
      return { ...course, held: event.move, next: null, trouble: null };
    case "let-go":
      return { ...stopped(course), refused: false };
    case "command":
      // A stop ends a way to a preset too, which nobody holds.
      return { ...course, held: null, next: event.command, trouble: null };
    case "tick":
      return course;
    case "answer":
      return event.failure ? failed(course, event.failure) : { ...course, underWay: null };
    case "dismiss":
      return { ...course, trouble: null };
  }
}

function stopped(course: Course): Course {
  const owed = course.turning && course.next === null;
  return { ...course, held: null, next: owed ? { kind: "stop" } : course.next };
}

function failed(course: Course, failure: Failure): Course {
  const moved = course.underWay?.kind === "move";
  // Somebody else's camera is not ours to stop; else an earlier move may still be turning it.
  const theirs = failure.kind === "refused" && failure.status === 409;
  const stop = moved && course.turning && !theirs;
  return {
    ...course,
    underWay: null,
    held: null,
    next: course.next ?? (stop ? { kind: "stop" } : null),
    turning: stop,
    refused: course.held !== null,
    trouble: failure,
  };
}

function due(course: Course, nowMs: number): Command | null {
  if (course.next) return course.next;
  const { held, sent, sentMs } = course;
  if (!held) return null;
  const other = !sent || sent.pan !== held.pan || sent.tilt !== held.tilt || sent.zoom !== held.zoom;
  return nowMs - sentMs >= (other ? FOLLOW_MS : REPEAT_MS) ? { kind: "move", move: held } : null;
}

function isStill({ pan, tilt, zoom }: Move): boolean {
  return pan === 0 && tilt === 0 && zoom === 0;
}
