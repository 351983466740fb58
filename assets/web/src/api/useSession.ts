// Who is logged in, as far as this page knows.

import { useCallback, useEffect, useState } from "preact/hooks";
import { currentSession, failureOf, logOut } from "./client";
import type { Session } from "./model";

export type SessionState =
  | { kind: "asking" }
  | { kind: "unreachable" }
  /** `ended`: somebody was logged in on this page and is no more. */
  | { kind: "none"; ended: boolean }
  /** `stayed`: logging out was wanted, yet the gateway could not be told. */
  | { kind: "user"; session: Session; stayed: boolean }
  | { kind: "leaving" };

export interface SessionHandle {
  state: SessionState;
  loggedIn: (session: Session) => void;
  /** The gateway answered 401: back to the login page. Where one was stays in the address. */
  expired: () => void;
  leave: () => void;
}

const ASK_AGAIN_MS = 3000;

export function useSession(): SessionHandle {
  const [state, setState] = useState<SessionState>({ kind: "asking" });

  useEffect(() => {
    let timer: number | undefined;
    let gone = false;
    const ask = async () => {
      try {
        const session = await currentSession();
        if (!gone) setState({ kind: "user", session, stayed: false });
      } catch (error) {
        if (gone) return;
        if (failureOf(error).kind === "logged-out") return setState({ kind: "none", ended: false });
        setState({ kind: "unreachable" });
        timer = window.setTimeout(ask, ASK_AGAIN_MS);
      }
    };
    void ask();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, []);

  const loggedIn = useCallback((session: Session) => setState({ kind: "user", session, stayed: false }), []);
  const expired = useCallback(() => setState({ kind: "none", ended: true }), []);
  const session = state.kind === "user" ? state.session : null;
  const leave = useCallback(async () => {
    if (!session) return;
    // First the page is taken away, which ends its live pictures while that is still allowed.
    setState({ kind: "leaving" });
    await new Promise((resolve) => window.setTimeout(resolve));
    try {
      await logOut();
    } catch (error) {
      if (failureOf(error).kind !== "logged-out") return setState({ kind: "user", session, stayed: true });
    }
    window.location.hash = "";
    setState({ kind: "none", ended: false });
  }, [session]);
  return { state, loggedIn, expired, leave };
}
