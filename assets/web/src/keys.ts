// Keys that work anywhere on a page.

import { useEffect, useRef } from "preact/hooks";

/** By `KeyboardEvent.key`. */
export type Keys = Record<string, (event: KeyboardEvent) => void>;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** Calls for a key without Ctrl, Alt or Meta, unless one types or a dialog is open (`?` closes that). */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      if (typing(event.target)) return;
      if (event.key !== "?" && document.querySelector("dialog[open]")) return;
      const call = current.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (call) {
        event.preventDefault();
        call(event);
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

/** The keys 1 to 9 for the first nine of `count`. */
export function digits(count: number, choose: (index: number) => void): Keys {
  const numbered = Array.from({ length: Math.min(9, count) }, (_, i) => [String(i + 1), () => choose(i)] as const);
  return Object.fromEntries(numbered);
}
