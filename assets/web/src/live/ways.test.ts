import { expect, test } from "vitest";
import type { Cause } from "./phase";
import { KEEP_MS, Ways, type WaysAround } from "./ways";

function stage(over: Partial<WaysAround> = {}) {
  const time = { ms: 1_000_000 };
  const kept = new Map<string, string>();
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const around: WaysAround = { webrtc: true, websocket: true, now: () => time.ms, store, ...over };
  return { time, kept, around, ways: new Ways(around) };
}

test.each<[string, boolean, boolean, string]>([
  ["both", true, true, "webrtc"],
  ["no WebRTC", false, true, "websocket"],
  ["no Media Source", true, false, "webrtc"],
  ["neither", false, false, "webrtc"],
])("a browser with %s begins with its way", (_, webrtc, websocket, way) => {
  expect(stage({ webrtc, websocket }).ways.choose()).toBe(way);
});

test("two tries in a row without a picture turn to the WebSocket, for ten minutes", () => {
  const { ways, time } = stage();
  expect(ways.failed("a", "webrtc", "blocked")).toBe(false);
  expect(ways.choose()).toBe("webrtc");
  expect(ways.failed("a", "webrtc", "no-picture")).toBe(true);
  expect(ways.choose()).toBe("websocket");
  time.ms += KEEP_MS - 1;
  expect(ways.choose()).toBe("websocket");
  time.ms += 1;
  expect(ways.choose()).toBe("webrtc");
});

test("tries of two cameras are not two tries in a row", () => {
  const { ways } = stage();
  ways.failed("a", "webrtc", "blocked");
  ways.failed("b", "webrtc", "blocked");
  expect(ways.choose()).toBe("webrtc");
});

test("a picture between two failures shows that the way is open", () => {
  const { ways } = stage();
  for (let i = 0; i < 5; i += 1) {
    ways.failed("a", "webrtc", "blocked");
    ways.showed("a", "webrtc");
  }
  expect(ways.choose()).toBe("webrtc");
});

test.each<Cause>(["unreachable", "busy", "refused", "lost", "forbidden", "unknown-camera", "logged-out"])(
  "%s says nothing about the way",
  (cause) => {
    const { ways } = stage();
    for (let i = 0; i < 5; i += 1) expect(ways.failed("a", "webrtc", cause)).toBe(false);
    expect(ways.choose()).toBe("webrtc");
  },
);

test("the page's other cameras turn with the first", () => {
  const { ways } = stage();
  ways.failed("a", "webrtc", "blocked");
  ways.failed("a", "webrtc", "blocked");
  expect(ways.failed("b", "webrtc", "blocked")).toBe(true);
  expect(ways.failed("b", "websocket", "lost")).toBe(false);
});

test("a WebSocket that brings nothing either turns back", () => {
  const { ways } = stage();
  for (const way of ["webrtc", "websocket", "webrtc"] as const) {
    expect(ways.choose()).toBe(way);
    expect(ways.failed("a", way, "blocked")).toBe(false);
    expect(ways.failed("a", way, "blocked")).toBe(true);
  }
});

test("a browser with one way does not turn", () => {
  const only = stage({ webrtc: false }).ways;
  only.failed("a", "websocket", "blocked");
  expect(only.failed("a", "websocket", "blocked")).toBe(false);
  expect(only.choose()).toBe("websocket");
});

test("the choice outlasts the page, and nonsense in its place does not count", () => {
  const { ways, around, kept, time } = stage();
  ways.failed("a", "webrtc", "blocked");
  ways.failed("a", "webrtc", "blocked");
  expect(new Ways(around).choose()).toBe("websocket");
  for (const stored of ["soon", "", String(time.ms + 10 * KEEP_MS)]) {
    for (const key of kept.keys()) kept.set(key, stored);
    expect(new Ways(around).choose(), stored).toBe("webrtc");
  }
  const refuses = { getItem: () => null, setItem: () => { throw new Error("full"); } };
  const page = stage({ store: refuses }).ways;
  page.failed("a", "webrtc", "blocked");
  expect(page.failed("a", "webrtc", "blocked")).toBe(true);
});

test("what comes which way is told when it changes", () => {
  const { ways } = stage();
  let told = 0;
  const end = ways.listen(() => (told += 1));
  ways.showed("a", "websocket");
  ways.showed("a", "websocket");
  expect([ways.of("a"), ways.of("b"), told]).toEqual(["websocket", null, 1]);
  ways.failed("a", "websocket", "lost");
  expect([ways.of("a"), told]).toEqual([null, 2]);
  ways.left("a");
  end();
  ways.showed("a", "webrtc");
  expect(told).toBe(2);
});
