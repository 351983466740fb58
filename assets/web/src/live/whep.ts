// One try to receive a camera by WHEP (WebRTC-HTTP egress protocol).
//
// The gateway is ICE-lite and names its addresses in the answer, so the offer
// goes out at once: our own addresses it learns from our first packets.

import { cameraPath, failureOf, farewell, send, type Failure } from "../api/client";
import type { Attempt, Report } from "./connection";
import type { Cause } from "./phase";

/** A short interruption heals by itself; a longer one is a loss. */
const DISCONNECTED_FOR_MS = 3000;
/** A way that is open is found in well under a second once both sides know each other. */
const FOUND_WITHIN_MS = 3000;

/** What the gateway's refusal of an offer means for the connection. */
export function causeOf(failure: Failure): Cause {
  if (failure.kind === "unreachable" || failure.kind === "logged-out") return failure.kind;
  if (failure.kind === "too-many-tries") return "busy";
  switch (failure.status) {
    case 403:
      return "forbidden";
    case 404:
      return "unknown-camera";
    case 409:
      return "no-codec";
    case 503:
      return "busy";
    default:
      return "refused";
  }
}

/** Where the session is ended; none when the address is not the gateway's own. */
export function sessionUrl(location: string | null, page: string): string | null {
  if (!location) return null;
  try {
    const url = new URL(location, page);
    return url.origin === new URL(page).origin ? url.href : null;
  } catch {
    return null;
  }
}

/** Starts receiving `camera`; `show` gets the stream as soon as there is one. */
export function receive(camera: string, show: (stream: MediaStream) => void, report: Report): Attempt {
  if (typeof RTCPeerConnection === "undefined") {
    // Later, so that nothing is reported before the caller holds the attempt.
    const soon = window.setTimeout(() => report.failed("unsupported"));
    return { close: () => window.clearTimeout(soon) };
  }
  const peer = new RTCPeerConnection({ iceServers: [] });
  let session: string | null = null;
  let closed = false;
  let stood = false;
  let losing: number | undefined;
  let finding: number | undefined;

  peer.addEventListener("track", (event) => show(event.streams[0] ?? new MediaStream([event.track])));
  peer.addEventListener("connectionstatechange", () => {
    if (closed) return;
    window.clearTimeout(losing);
    if (peer.connectionState !== "connecting") window.clearTimeout(finding);
    const state = peer.connectionState;
    if (state === "connected") {
      stood = true;
      report.connected();
    }
    if (state === "failed") report.failed(stood ? "lost" : "blocked");
    if (state === "disconnected") losing = window.setTimeout(() => report.failed("lost"), DISCONNECTED_FOR_MS);
  });

  const negotiate = async () => {
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription();
    const response = await send(cameraPath(camera, "whep"), {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription?.sdp ?? "",
    });
    const sdp = await response.text();
    session = sessionUrl(response.headers.get("Location"), document.baseURI);
    // Left while the answer was under way: the gateway holds a session for nobody, and was
    // not told yet.
    if (closed) return void endSession(session);
    finding = window.setTimeout(() => report.failed("blocked"), FOUND_WITHIN_MS);
    await peer.setRemoteDescription({ type: "answer", sdp });
  };
  negotiate().catch((error: unknown) => {
    if (closed) return;
    report.failed(error instanceof DOMException ? "refused" : causeOf(failureOf(error)));
  });

  return {
    close: () => {
      closed = true;
      window.clearTimeout(losing);
      window.clearTimeout(finding);
      // Of a connection that closes the gateway learns by itself, and would know the
      // session no more when it is told.
      void endSession(session).finally(() => peer.close());
    },
  };
}

/** Tells the gateway that nobody watches any more; it would find out by itself, later. */
async function endSession(session: string | null): Promise<void> {
  if (session) await farewell(session);
}
