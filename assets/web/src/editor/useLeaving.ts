// Asks before a page with changes that are not saved is left.

import { useEffect, useState } from "preact/hooks";
import { go, guardRoute } from "../route";

export interface Leaving {
  /** Where one wants to go, while that is being asked. */
  to: string | null;
  stay: () => void;
  leave: () => void;
}

export function useLeaving(dirty: boolean): Leaving {
  const [to, setTo] = useState<string | null>(null);
  useEffect(() => {
    if (!dirty) return;
    guardRoute((href) => {
      setTo(href);
      return false;
    });
    const unload = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", unload);
    return () => {
      guardRoute(null);
      window.removeEventListener("beforeunload", unload);
    };
  }, [dirty]);
  const leave = () => {
    guardRoute(null);
    setTo(null);
    if (to !== null) go(to);
  };
  return { to, stay: () => setTo(null), leave };
}
