// The page's one choice of ways, and which way a camera's picture comes now.

import { useEffect, useState } from "preact/hooks";
import { mediaSource } from "./socket";
import { Ways, type Way } from "./ways";

// A browser may refuse to store anything, and say so by throwing.
function tabStore(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

let made: Ways | null = null;

export function pageWays(): Ways {
  made ??= new Ways({
    webrtc: typeof RTCPeerConnection !== "undefined",
    websocket: typeof WebSocket !== "undefined" && mediaSource() !== null,
    now: Date.now,
    store: tabStore(),
  });
  return made;
}

export function useWay(camera: string): Way | null {
  const ways = pageWays();
  const [way, setWay] = useState(() => ways.of(camera));
  useEffect(() => {
    const look = () => setWay(ways.of(camera));
    look();
    return ways.listen(look);
  }, [ways, camera]);
  return way;
}
