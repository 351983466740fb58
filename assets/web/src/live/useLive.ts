// A camera's live picture in a video element, kept going while it is on the page.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { LiveConnection } from "./connection";
import { FIRST_WITHIN_MS, FROZEN_AFTER_MS, GIVE_UP_AFTER_MS, watchFrames, type FrameWatch } from "./frames";
import type { Phase } from "./phase";
import { play } from "./socket";
import { pageWays } from "./useWay";
import { receive } from "./whep";

export interface Live {
  phase: Phase;
  /** Whether the element shows a picture that came over the connection of now. */
  picture: boolean;
  /** Whole seconds without a new picture, once that is too long; else null. */
  frozenS: number | null;
  /** Whole seconds until the next try. */
  retryInS: number;
  again: () => void;
}

const TICK_MS = 500;

/** `comebacks`: see `StatusView`; each one wakes a connection that waits. */
export function useLive(
  camera: string,
  video: RefObject<HTMLVideoElement | null>,
  comebacks: number,
  expired: () => void,
): Live {
  const [phase, setPhase] = useState<Phase>({ kind: "idle" });
  const [picture, setPicture] = useState(false);
  const [frozenS, setFrozenS] = useState<number | null>(null);
  const [retryInS, setRetryInS] = useState(0);
  const connection = useRef<LiveConnection | null>(null);

  // A layout effect ends at once when the picture leaves the page; others end after the next painting.
  useLayoutEffect(() => {
    const element = video.current;
    if (!element) return;
    let frames: FrameWatch | null = null;
    let retryAt = 0;
    const ways = pageWays();
    let way = ways.choose();

    const look = () => {
      const ageMs = frames?.ageMs() ?? 0;
      const any = frames?.any() ?? false;
      setPicture(any);
      if (any) ways.showed(camera, way);
      setFrozenS(frames && ageMs > FROZEN_AFTER_MS ? Math.floor(ageMs / 1000) : null);
      setRetryInS(Math.max(0, Math.ceil((retryAt - performance.now()) / 1000)));
      if (ageMs > (any ? GIVE_UP_AFTER_MS : FIRST_WITHIN_MS)) live.giveUp("no-picture");
    };
    const live = new LiveConnection(
      {
        open: (report) => {
          way = ways.choose();
          if (way === "websocket") return play(camera, element, report);
          return receive(camera, (stream) => (element.srcObject = stream), report);
        },
        after: (ms, call) => {
          const timer = window.setTimeout(call, ms);
          return () => window.clearTimeout(timer);
        },
        random: Math.random,
      },
      (now) => {
        setPhase(now);
        if (now.kind === "connected") {
          frames ??= watchFrames(element);
        } else {
          frames?.stop();
          frames = null;
          // The last picture of a lost connection must not stand there as if it were of now.
          element.srcObject = null;
        }
        retryAt = now.kind === "waiting" ? performance.now() + now.delayMs : 0;
        // On another way there is nothing to wait for. Later: this change is not over yet.
        if (now.kind === "waiting" && ways.failed(camera, way, now.cause)) window.setTimeout(() => live.wake());
        if (now.kind === "ended" && now.cause === "logged-out") expired();
        look();
      },
    );
    connection.current = live;
    live.start();
    const timer = window.setInterval(look, TICK_MS);
    // Leaving the page ends the session; a page that comes back from the browser's store starts it again.
    const leave = () => live.stop();
    const back = () => live.start();
    const online = () => live.wake();
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", back);
    window.addEventListener("online", online);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", back);
      window.removeEventListener("online", online);
      live.stop();
      ways.left(camera);
      connection.current = null;
    };
  }, [camera, video, expired]);

  useEffect(() => {
    if (comebacks > 0) connection.current?.wake();
  }, [comebacks]);

  return { phase, picture, frozenS, retryInS, again: () => connection.current?.start() };
}
