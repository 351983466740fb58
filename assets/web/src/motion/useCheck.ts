// Runs a motion check: looks ten times a second, and has the camera steered.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { LookingAt } from "../editor/useView";
import type { Steering } from "../steering/useSteering";
import type { CameraView } from "../view";
import { advance, beginCheck, ended, type Check, type End, type Look, type Seen } from "./check";

const EVERY_MS = 100;

export interface Running {
  check: Check | null;
  start: (span_deg: number) => void;
  stop: () => void;
}

export function useCheck(camera: CameraView, looking: LookingAt, steering: Steering): Running {
  const [check, setCheck] = useState<Check | null>(null);
  const current = useRef({ check, camera, looking, steering });
  current.current = { check, camera, looking, steering };
  const began = useRef(0);

  const put = useCallback((next: Check) => {
    current.current.check = next;
    setCheck(next);
  }, []);
  const end = useCallback((how: End) => {
    const { check, steering } = current.current;
    if (!check || check.end) return;
    steering.send({ kind: "stop" });
    put(ended(check, how));
  }, []);
  const lookNow = () => {
    const { looking, camera } = current.current;
    return lookOf(looking, camera, (performance.now() - began.current) / 1000);
  };
  const start = useCallback((span_deg: number) => {
    // What was refused to a hand before is not refused to this one.
    current.current.steering.letGo();
    current.current.steering.dismiss();
    began.current = performance.now();
    const begun = beginCheck(lookNow(), span_deg);
    if (begun) put(begun);
  }, []);

  const running = check !== null && check.end === null;
  useEffect(() => {
    if (!running) return;
    // What was refused before is dismissed by now; what is told from here on ends it.
    let ticks = 0;
    const timer = window.setInterval(() => {
      const { check, steering } = current.current;
      if (!check || check.end) return;
      ticks += 1;
      if (ticks > 1 && steering.trouble) return put(ended(check, "refused"));
      const [next, drive] = advance(check, lookNow());
      put(next);
      if (!drive) return;
      if ("hold" in drive) steering.hold(drive.hold);
      else steering.send(drive.send);
    }, EVERY_MS);
    const hidden = () => document.hidden && end("stopped");
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      end("stopped");
    };
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("keydown", escape);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("keydown", escape);
    };
  }, [running]);
  // Whoever leaves the page or the tab leaves no camera turning behind.
  useEffect(() => () => end("stopped"), []);
  return { check, start, stop: useCallback(() => end("stopped"), []) };
}

/** What is known at this moment; nothing old is taken for it. */
function lookOf({ view, doubt, why }: LookingAt, camera: CameraView, at_s: number): Look {
  if (view?.kind !== "turning" || doubt === "unknown" || doubt === "silent") {
    const nothing = { pan_deg: null, tilt_deg: null, zoom: null, hfov_deg: null, margin_deg: null, moving: false };
    const state = doubt === "silent" ? "unknown" : seenOf(camera.state);
    return { at_s, ...nothing, state, reason: why ?? camera.reason };
  }
  const { pan_deg, tilt_deg, margin_deg, moving } = view;
  // A view that does not say how it is masked leaves that to the status, which comes once a second.
  const told = view.state === undefined ? camera : { state: view.state, reason: view.reason?.code ?? null };
  return {
    at_s,
    pan_deg,
    tilt_deg,
    zoom: view.zoom ?? null,
    hfov_deg: view.hfov_deg ?? null,
    margin_deg,
    moving,
    state: seenOf(told.state),
    reason: told.reason,
  };
}

function seenOf(state: string): Seen {
  return (["live", "widened", "covered"] as const).find((known) => known === state) ?? "unknown";
}
