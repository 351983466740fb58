import { expect, test } from "vitest";
import { findDrafts, forgetDraft, keepDraft, type Draft, type Store } from "./drafts";
import { street } from "./sample";

function memory(): Store & { map: Map<string, string> } {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
    key: (i) => [...map.keys()][i] ?? null,
    get length() {
      return map.size;
    },
  };
}

const draft = (more: Partial<Draft> = {}): Draft => ({
  format: 1,
  user: "iris",
  camera: "street",
  base: { number: 3, sha256: "aa" },
  document: street(),
  changed: "2026-11-22T11:00:00Z",
  ...more,
});

test("a draft comes back to whom it belongs, for its camera", () => {
  const store = memory();
  expect(keepDraft(store, draft())).toBe(true);
  expect(findDrafts(store, "iris", "street")).toEqual([draft()]);
  expect(findDrafts(store, "joris", "street")).toEqual([]);
  expect(findDrafts(store, "iris", "stree")).toEqual([]);
  expect(findDrafts(store, "iris", "street/x")).toEqual([]);
});

test("each version has its own draft, the newest comes first, one forgotten is gone", () => {
  const store = memory();
  const later = draft({ base: { number: 4, sha256: "bb" }, changed: "2026-11-22T12:00:00Z" });
  keepDraft(store, draft());
  keepDraft(store, later);
  keepDraft(store, draft({ changed: "2026-11-22T11:30:00Z" }));
  expect(findDrafts(store, "iris", "street").map(({ changed }) => changed)).toEqual([
    "2026-11-22T12:00:00Z",
    "2026-11-22T11:30:00Z",
  ]);
  forgetDraft(store, "iris", "street", "bb");
  expect(findDrafts(store, "iris", "street").map(({ base }) => base.number)).toEqual([3]);
});

test.each(["", "null", "{", '{"format":2}', '{"format":1,"base":{},"document":{}}', '"text"'])(
  "what stands there as %j is no draft",
  (text) => {
    const store = memory();
    keepDraft(store, draft());
    for (const key of store.map.keys()) store.map.set(key, text);
    expect(findDrafts(store, "iris", "street")).toEqual([]);
  },
);

test("a browser that refuses to keep anything is told of, not thrown at", () => {
  const refuse = () => {
    throw new Error("denied");
  };
  const store: Store = { getItem: refuse, setItem: refuse, removeItem: refuse, key: refuse, length: 1 };
  expect(keepDraft(store, draft())).toBe(false);
  expect(findDrafts(store, "iris", "street")).toEqual([]);
  expect(() => forgetDraft(store, "iris", "street", "aa")).not.toThrow();
});
