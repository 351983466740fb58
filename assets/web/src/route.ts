// The page's addresses: what stands after the `#`.

import { useEffect, useState } from "preact/hooks";

export type Route =
  | { page: "wall" }
  | { page: "camera"; id: string }
  /** `preset`: where masks belong to presets that somebody vouches for. */
  | { page: "masks"; id: string; preset: string | null }
  | { page: "state" }
  | { page: "audit" }
  | { page: "stills" }
  | { page: "unknown" };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#?\/?/, "");
  if (path === "") return { page: "wall" };
  if (path === "state" || path === "audit" || path === "stills") return { page: path };
  const [, page, id, preset] = /^(camera|masks)\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (!id || (page === "camera" && preset !== undefined)) return { page: "unknown" };
  try {
    const camera = decodeURIComponent(id);
    if (page === "camera") return { page, id: camera };
    return { page: "masks", id: camera, preset: preset === undefined ? null : decodeURIComponent(preset) };
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

export function masksHref(id: string, preset: string | null = null): string {
  return `#/masks/${encodeURIComponent(id)}${preset === null ? "" : `/${encodeURIComponent(preset)}`}`;
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
    let shown = hash;
    const changed = () => {
      const wanted = window.location.hash;
      if (wanted !== shown && guard?.(wanted) === false) return history.replaceState(null, "", shown || "#/");
      shown = wanted;
      setHash(wanted);
    };
    window.addEventListener("hashchange", changed);
    // Between the first render and here nobody listened.
    if (window.location.hash !== shown) changed();
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return parseRoute(hash);
}
