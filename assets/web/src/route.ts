// The page's addresses: what stands after the `#`.

import { useEffect, useState } from "preact/hooks";

export type Route =
  | { page: "wall" }
  | { page: "camera"; id: string }
  | { page: "masks"; id: string }
  | { page: "state" }
  | { page: "audit" }
  | { page: "stills" }
  | { page: "unknown" };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#?\/?/, "");
  if (path === "") return { page: "wall" };
  if (path === "state" || path === "audit" || path === "stills") return { page: path };
  const [, page, id] = /^(camera|masks)\/([^/]+)$/.exec(path) ?? [];
  if (!id || (page !== "camera" && page !== "masks")) return { page: "unknown" };
  try {
    return { page, id: decodeURIComponent(id) };
  } catch {
    return { page: "unknown" };
  }
}

export const WALL = "#/";
export const STATE = "#/state";
export const AUDIT = "#/audit";
export const STILLS = "#/stills";

export function cameraHref(id: string): string {
  return `#/camera/${encodeURIComponent(id)}`;
}

export function masksHref(id: string): string {
  return `#/masks/${encodeURIComponent(id)}`;
}

export function go(href: string): void {
  window.location.hash = href;
}

/** Asked before another address is shown; false when it asks the user first. */
type Guard = (href: string) => boolean;
let guard: Guard | null = null;

/** While `ask` is given, nobody leaves this address without it. */
export function guardRoute(ask: Guard | null): void {
  guard = ask;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(window.location.hash);
  useEffect(() => {
    let shown = window.location.hash;
    const changed = () => {
      const wanted = window.location.hash;
      if (wanted !== shown && guard?.(wanted) === false) return history.replaceState(null, "", shown || "#/");
      shown = wanted;
      setHash(wanted);
    };
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return parseRoute(hash);
}
