// The keys that steer: held with Ctrl anywhere, or alone on the joystick.

import { useEffect, useRef } from "preact/hooks";
import { isArrow, isZoom, keysMove } from "./deflection";
import type { Steering } from "./useSteering";

export function useSteeringKeys(steering: Steering | null, active: boolean): void {
  const current = useRef(steering);
  current.current = active ? steering : null;
  useEffect(() => {
    const keys = new Set<string>();
    let alone = false;
    const apply = (fast: boolean) => current.current?.hold(keysMove(keys, fast));
    const clear = () => {
      if (keys.size === 0) return;
      keys.clear();
      current.current?.letGo();
    };
    const pressed = (event: KeyboardEvent) => {
      const now = current.current;
      const target = event.target instanceof Element ? event.target : document.body;
      if (!now || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
      if (target.closest("input, textarea, select")) return;
      const onPad = target.closest("[data-steer]") !== null;
      const { key } = event;
      if (key === "Escape" && (now.held || keys.size > 0)) {
        keys.clear();
        now.send({ kind: "stop" });
      } else if (key === "Home" && (event.ctrlKey || onPad) && now.reach.home) {
        if (!event.repeat) now.send({ kind: "home" });
      } else if ((isArrow(key) && (event.ctrlKey || onPad)) || (isZoom(key) && !event.ctrlKey)) {
        // A key whose camera was stopped has to be pressed anew.
        if (!event.repeat) keys.add(key);
        alone = onPad;
        apply(event.shiftKey);
      } else if (key === "Shift" && keys.size > 0) {
        apply(true);
      } else {
        return;
      }
      event.preventDefault();
    };
    const released = (event: KeyboardEvent) => {
      if (keys.size === 0) return;
      const { key } = event;
      if (key === "Control" && !alone) [...keys].filter(isArrow).forEach((arrow) => keys.delete(arrow));
      else if (isZoom(key)) [...keys].filter(isZoom).forEach((zoom) => keys.delete(zoom));
      else if (key !== "Shift" && !keys.delete(key)) return;
      if (keys.size === 0) current.current?.letGo();
      else apply(event.shiftKey);
    };
    // Before the editor's keys: what turns the camera moves no point.
    window.addEventListener("keydown", pressed, true);
    window.addEventListener("keyup", released, true);
    window.addEventListener("blur", clear);
    return () => {
      window.removeEventListener("keydown", pressed, true);
      window.removeEventListener("keyup", released, true);
      window.removeEventListener("blur", clear);
      clear();
    };
  }, []);
}
