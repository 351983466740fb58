// Requests to the gateway. Everything that can go wrong becomes a `Failure`.
//
// The session is a cookie that this page can neither read nor write.

import type { GatewayStatus, Problem, Session } from "./model";

/** Why a request brought nothing. */
export type Failure =
  /** No answer: the network, or a gateway that restarts. */
  | { kind: "unreachable" }
  /** Nobody is logged in (any more), or the login was wrong. */
  | { kind: "logged-out" }
  | { kind: "too-many-tries"; retryAfterS: number }
  | { kind: "refused"; status: number; problem: Problem | null };

export class ApiError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.kind);
  }
}

const TIMEOUT_MS = 8000;
const FAREWELL_MS = 1000;
/** What is told to wait where the gateway does not say for how long. */
const DEFAULT_RETRY_AFTER_S = 60;

/** The failure behind anything thrown; a stranger's error counts as no answer. */
export function failureOf(error: unknown): Failure {
  return error instanceof ApiError ? error.failure : { kind: "unreachable" };
}

/** Sends a request; throws `ApiError` for anything but a success. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    response = await fetch(path, { signal: timeout, cache: "no-store", credentials: "same-origin", ...init });
  } catch {
    throw new ApiError({ kind: "unreachable" });
  }
  if (!response.ok) throw new ApiError(await failureIn(response));
  return response;
}

async function failureIn(response: Response): Promise<Failure> {
  const { status } = response;
  if (status === 401) return { kind: "logged-out" };
  if (status === 429) {
    const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
    return { kind: "too-many-tries", retryAfterS: Number.isFinite(seconds) ? seconds : DEFAULT_RETRY_AFTER_S };
  }
  const said = (await response.json().catch(() => null)) as Problem | null;
  const problem = typeof said?.error === "string" ? said : null;
  // What stands before the gateway answers like this while it restarts; the gateway itself gives a sentence.
  if (!problem && (status === 502 || status === 504)) return { kind: "unreachable" };
  return { kind: "refused", status, problem };
}

/** The address of what a camera has: `rest` is what comes after its name, without a slash before it. */
export function cameraPath(id: string, rest: string): string {
  return `/api/v1/cameras/${encodeURIComponent(id)}/${rest}`;
}

/** The body as JSON; a broken one counts as no answer. */
export async function read<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError({ kind: "unreachable" });
  }
}

export async function currentSession(): Promise<Session> {
  return read<Session>(await send("/api/v1/session"));
}

export async function logIn(user: string, password: string): Promise<Session> {
  const body = JSON.stringify({ user, password });
  const headers = { "Content-Type": "application/json" };
  return read<Session>(await send("/api/v1/session", { method: "POST", headers, body }));
}

const farewells = new Set<Promise<unknown>>();

/** Deletes without waiting, even while the page goes away; that it failed helps nobody to know. */
export function farewell(url: string): Promise<unknown> {
  const gone = fetch(url, { method: "DELETE", keepalive: true }).catch(() => undefined);
  farewells.add(gone);
  void gone.finally(() => farewells.delete(gone));
  return gone;
}

/** Farewells under way come first: after it they would not be allowed. */
export async function logOut(): Promise<void> {
  const patience = new Promise((resolve) => window.setTimeout(resolve, FAREWELL_MS));
  await Promise.race([Promise.all(farewells), patience]);
  await send("/api/v1/session", { method: "DELETE" });
}

export async function gatewayStatus(): Promise<GatewayStatus> {
  return read<GatewayStatus>(await send("/api/v1/status"));
}
