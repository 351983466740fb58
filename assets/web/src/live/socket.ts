// One try to receive a camera as fragmented MP4 over a WebSocket, played through
// Media Source Extensions.
//
// The gateway sends the stream's form as text, then its init segment and each
// frame as one binary message; it begins anew with text when the form changes.

import { cameraPath, failureOf, send } from "../api/client";
import type { Attempt, Report } from "./connection";
import { follow, trimTo } from "./edge";
import { isKeyFrame } from "./fragment";
import type { Cause } from "./phase";
import { causeOf } from "./whep";

/** Safari on phones has only this one. */
interface WithManaged {
  ManagedMediaSource?: typeof MediaSource;
}

/** What plays buffered video here, if anything does. */
export function mediaSource(): typeof MediaSource | null {
  const managed = (globalThis as WithManaged).ManagedMediaSource;
  return managed ?? (typeof MediaSource === "undefined" ? null : MediaSource);
}

/** Messages that wait for the browser; more means that it does not play at all. */
const WAITING_AT_MOST = 250;

/** What the gateway means by closing an open connection. */
export function causeOfClose(code: number): Cause {
  if (code === 4401) return "logged-out";
  if (code === 4404) return "unknown-camera";
  return "lost";
}

/** The stream's form as the gateway tells it; null for anything else. */
export function mimeIn(text: string): string | null {
  try {
    const form: unknown = JSON.parse(text);
    const mime = (form as { mime?: unknown } | null)?.mime;
    return typeof mime === "string" ? mime : null;
  } catch {
    return null;
  }
}

/** Starts receiving `camera` into `video`. */
export function play(camera: string, video: HTMLVideoElement, report: Report): Attempt {
  const Source = mediaSource();
  if (!Source) {
    // Later, so that nothing is reported before the caller holds the attempt.
    const soon = window.setTimeout(() => report.failed("unsupported"));
    return { close: () => window.clearTimeout(soon) };
  }
  const path = cameraPath(camera, "live");
  const source = new Source();
  const address = URL.createObjectURL(source);
  const waiting: (string | ArrayBuffer)[] = [];
  let buffer: SourceBuffer | null = null;
  let closed = false;
  let connected = false;
  /** Whether the next bytes are an init segment. */
  let formed = false;
  /** Whether the last bytes were a key frame, and when those are that the browser has. */
  let key = false;
  let keysS: number[] = [];
  /** For how long the gateway says that a frame lasts; it cannot know, so it says too much. */
  let tailS: number | null = null;

  const fail = (cause: Cause) => {
    if (closed) return;
    closed = true;
    report.failed(cause);
  };

  /** Hands the browser what waits, one after another. */
  const pump = () => {
    if (closed || source.readyState !== "open" || buffer?.updating) return;
    const next = waiting.shift();
    if (next === undefined) return;
    if (typeof next !== "string") {
      if (!buffer) return fail("refused");
      key = !formed && isKeyFrame(next);
      buffer.appendBuffer(next);
      return;
    }
    const mime = mimeIn(next);
    if (!mime) return fail("refused");
    if (!Source.isTypeSupported(mime)) return fail("no-codec");
    formed = true;
    if (buffer) {
      buffer.changeType(mime);
    } else {
      buffer = source.addSourceBuffer(mime);
      buffer.addEventListener("updateend", guarded(appended));
      buffer.addEventListener("error", () => fail("lost"));
    }
    pump();
  };

  const appended = () => {
    if (closed || !buffer) return;
    const { buffered } = buffer;
    if (formed) {
      // Of the init segment: nothing to show yet.
      formed = false;
    } else if (buffered.length > 0) {
      const first = buffered.start(0);
      const end = buffered.end(buffered.length - 1);
      tailS ??= end - first;
      if (key) keysS.push(end - tailS);
      key = false;
      if (!connected) {
        connected = true;
        report.connected();
      }
      const step = follow(video.currentTime, end - tailS, video.playbackRate);
      if (step.jumpToS !== null && !video.seeking) video.currentTime = step.jumpToS;
      if (step.rate !== video.playbackRate) video.playbackRate = step.rate;
      // Browsers stop what nobody sees; the picture must be of now when it is seen again.
      if (video.paused) video.play().catch(() => undefined);
      const trim = trimTo(first, video.currentTime, keysS);
      if (trim !== null) {
        keysS = keysS.filter((s) => s > trim);
        // Ends with an `updateend` of its own.
        return buffer.remove(0, trim);
      }
    }
    pump();
  };

  /** The browser throws where its buffer is full or its player has given up. */
  const guarded = (act: () => void) => () => {
    try {
      act();
    } catch {
      fail("lost");
    }
  };

  video.srcObject = null;
  video.disableRemotePlayback = true;
  video.src = address;
  source.addEventListener("sourceopen", guarded(pump));
  const broken = () => fail("lost");
  video.addEventListener("error", broken);

  const socket = new WebSocket(new URL(path, document.baseURI.replace(/^http/, "ws")));
  socket.binaryType = "arraybuffer";
  let opened = false;
  socket.addEventListener("open", () => (opened = true));
  socket.addEventListener("message", (event: MessageEvent<string | ArrayBuffer>) => {
    if (waiting.length >= WAITING_AT_MOST) return fail("lost");
    waiting.push(event.data);
    guarded(pump)();
  });
  socket.addEventListener("close", (event) => {
    if (closed) return;
    if (opened) return fail(causeOfClose(event.code));
    void whyNot(path).then(fail);
  });

  return {
    close: () => {
      closed = true;
      socket.close();
      video.removeEventListener("error", broken);
      video.playbackRate = 1;
      if (video.src === address) {
        video.removeAttribute("src");
        video.load();
      }
      URL.revokeObjectURL(address);
    },
  };
}

/** A page is not told why a WebSocket does not open: the same request without an upgrade says it. */
async function whyNot(path: string): Promise<Cause> {
  try {
    await send(path);
    return "blocked";
  } catch (error) {
    const failure = failureOf(error);
    // One may watch, yet the connection was not made.
    if (failure.kind === "refused" && failure.status === 426) return "blocked";
    return causeOf(failure);
  }
}
