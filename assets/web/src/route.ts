// The page's addresses: what stands after the `#`.

import { useEffect, useState } from "preact/hooks";

export type Route = { page: "wall" } | { page: "camera"; id: string } | { page: "state" } | { page: "unknown" };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#?\/?/, "");
  if (path === "") return { page: "wall" };
  if (path === "state") return { page: "state" };
  const camera = /^camera\/([^/]+)$/.exec(path)?.[1];
  if (camera) {
    try {
      return { page: "camera", id: decodeURIComponent(camera) };
    } catch {
      return { page: "unknown" };
    }
  }
  return { page: "unknown" };
}

export const WALL = "#/";
export const STATE = "#/state";

export function cameraHref(id: string): string {
  return `#/camera/${encodeURIComponent(id)}`;
}

export function go(href: string): void {
  window.location.hash = href;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(window.location.hash);
  useEffect(() => {
    const changed = () => setHash(window.location.hash);
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return parseRoute(hash);
}
