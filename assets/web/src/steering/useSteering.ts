// Steers one camera: sends what the course asks for, and knows who steers it.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import type { Problem, Reach } from "../api/model";
import { command, readReach } from "../api/steering";
import { AT_REST, steer, type Command, type Course, type CourseEvent, type Move } from "./course";

export interface Steering {
  reach: Reach;
  /** The parts of what the hands hold now; others stay. All of them still: the hands let go. */
  hold: (part: Partial<Move>) => void;
  letGo: () => void;
  send: (what: Exclude<Command, { kind: "move" }>) => void;
  /** A hand holds a move now. */
  held: boolean;
  trouble: Failure | null;
  dismiss: () => void;
}

const TICK_MS = 50;
const ASK_EVERY_MS = 2000;
const STILL: Move = { pan: 0, tilt: 0, zoom: 0 };

export interface MaySteer {
  /** None for a camera that cannot be steered, and before that is known. */
  steering: Steering | null;
  /** Why a camera that turns cannot be steered. */
  refusal: Problem | null;
}

export function useSteering(camera: string, turns: boolean, expired: () => void): MaySteer {
  const [reach, setReach] = useState<Reach | null>(null);
  const [refusal, setRefusal] = useState<Problem | null>(null);
  const [shown, setShown] = useState<Course>(AT_REST);
  const course = useRef(AT_REST);
  const hands = useRef(STILL);
  const gone = useRef(false);

  useEffect(() => {
    if (!turns) return setReach(null);
    let over = false;
    const ask = () => {
      if (document.hidden) return;
      readReach(camera).then(
        (now) => {
          if (over) return;
          setRefusal(null);
          setReach((old) => (JSON.stringify(old) === JSON.stringify(now) ? old : now));
        },
        (error) => {
          if (over) return;
          const failure = failureOf(error);
          if (failure.kind === "logged-out") expired();
          if (failure.kind !== "refused") return;
          setReach(null);
          setRefusal((old) => (old?.error === failure.problem?.error ? old : failure.problem));
        },
      );
    };
    ask();
    const timer = window.setInterval(ask, ASK_EVERY_MS);
    return () => {
      over = true;
      window.clearInterval(timer);
    };
  }, [camera, turns, expired]);

  const feed = useCallback(
    (event: CourseEvent) => {
      const [next, out] = steer(course.current, event, performance.now());
      course.current = next;
      if (!gone.current) setShown(next);
      if (!out) return;
      command(camera, out).then(
        () => feed({ do: "answer", failure: null }),
        (error) => {
          const failure = failureOf(error);
          if (failure.kind === "logged-out" && !gone.current) expired();
          feed({ do: "answer", failure });
        },
      );
    },
    [camera, expired],
  );
  const letGo = useCallback(() => {
    hands.current = STILL;
    feed({ do: "let-go" });
  }, [feed]);
  const hold = useCallback(
    (part: Partial<Move>) => {
      hands.current = { ...hands.current, ...part };
      const { pan, tilt, zoom } = hands.current;
      feed(pan === 0 && tilt === 0 && zoom === 0 ? { do: "let-go" } : { do: "hold", move: hands.current });
    },
    [feed],
  );
  const send = useCallback(
    (what: Exclude<Command, { kind: "move" }>) => {
      hands.current = STILL;
      feed({ do: "command", command: what });
    },
    [feed],
  );
  const dismiss = useCallback(() => feed({ do: "dismiss" }), [feed]);

  const held = shown.held !== null;
  useEffect(() => {
    if (!held) return;
    const timer = window.setInterval(() => feed({ do: "tick" }), TICK_MS);
    return () => window.clearInterval(timer);
  }, [held, feed]);

  // A hand that nobody can see any more holds nothing.
  useEffect(() => {
    gone.current = false;
    const hidden = () => document.hidden && letGo();
    /** The page may be gone before an answer: the stop does not wait for one. */
    const leave = () => {
      if (course.current.held || course.current.turning)
        void command(camera, { kind: "stop" }, true).catch(() => undefined);
      course.current = { ...AT_REST, underWay: course.current.underWay };
      hands.current = STILL;
    };
    window.addEventListener("blur", letGo);
    window.addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", hidden);
    return () => {
      window.removeEventListener("blur", letGo);
      window.removeEventListener("pagehide", leave);
      document.removeEventListener("visibilitychange", hidden);
      gone.current = true;
      leave();
    };
  }, [camera, letGo]);

  const { trouble } = shown;
  const steering = useMemo(
    () => (reach ? { reach, hold, letGo, send, held, trouble, dismiss } : null),
    [reach, hold, letGo, send, held, trouble, dismiss],
  );
  return { steering, refusal };
}
