// Which way the video comes: WebRTC, or a WebSocket where nothing comes through
// over UDP. One choice for the whole page, remembered while the browser's tab lasts.
//
// Knows neither the DOM nor connections: what happened is told to it.

import type { Cause } from "./phase";

export type Way = "webrtc" | "websocket";

/** So many tries in a row without a picture say that the way is closed. */
const TURN_AFTER = 2;
/** For so long WebRTC is not tried again. */
export const KEEP_MS = 600_000;
const KEY = "greyplane.websocket-until";

/** What tells of a way that is closed, and not of a gateway that is away or busy. */
const CLOSED: readonly Cause[] = ["blocked", "no-picture"];

export interface WaysAround {
  /** Whether the browser has WebRTC, and what the other way needs. */
  webrtc: boolean;
  websocket: boolean;
  /** Milliseconds since 1970. */
  now: () => number;
  /** None where the browser stores nothing. */
  store: Pick<Storage, "getItem" | "setItem"> | null;
}

export class Ways {
  private readonly failures = new Map<string, number>();
  private readonly shown = new Map<string, Way>();
  private readonly listeners = new Set<() => void>();
  private untilMs: number;

  constructor(private readonly around: WaysAround) {
    const stored = Number(around.store?.getItem(KEY) ?? 0);
    // A stored time that is further away than any we store is not ours.
    this.untilMs = stored <= around.now() + KEEP_MS ? stored : 0;
  }

  /** The way of the next try. */
  choose(): Way {
    const { webrtc, websocket, now } = this.around;
    if (!websocket) return "webrtc";
    return !webrtc || now() < this.untilMs ? "websocket" : "webrtc";
  }

  /** A picture came. */
  showed(camera: string, way: Way): void {
    this.failures.delete(camera);
    if (this.shown.get(camera) === way) return;
    this.shown.set(camera, way);
    this.tell();
  }

  /** A try failed or was lost; whether the next one takes another way. */
  failed(camera: string, way: Way, cause: Cause): boolean {
    if (this.shown.delete(camera)) this.tell();
    // Another camera may have turned the page meanwhile.
    if (way !== this.choose()) return true;
    if (!CLOSED.includes(cause)) return false;
    const failures = (this.failures.get(camera) ?? 0) + 1;
    this.failures.set(camera, failures);
    if (failures < TURN_AFTER) return false;
    this.failures.clear();
    this.untilMs = way === "webrtc" ? this.around.now() + KEEP_MS : 0;
    try {
      this.around.store?.setItem(KEY, String(this.untilMs));
    } catch {
      // Then the choice lasts as long as the page.
    }
    return way !== this.choose();
  }

  /** The camera's picture is not on the page any more. */
  left(camera: string): void {
    if (this.shown.delete(camera)) this.tell();
  }

  /** The way that a camera's picture comes now. */
  of(camera: string): Way | null {
    return this.shown.get(camera) ?? null;
  }

  /** Calls at every change of `of`; the answer ends that. */
  listen(call: () => void): () => void {
    this.listeners.add(call);
    return () => this.listeners.delete(call);
  }

  private tell(): void {
    for (const call of this.listeners) call();
  }
}
