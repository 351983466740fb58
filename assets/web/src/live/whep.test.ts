import { expect, test } from "vitest";
import type { Failure } from "../api/client";
import { causeOf, sessionUrl } from "./whep";

const refused = (status: number): Failure => ({ kind: "refused", status, problem: null });

test.each<[Failure, string]>([
  [{ kind: "unreachable" }, "unreachable"],
  [{ kind: "logged-out" }, "logged-out"],
  [{ kind: "too-many-tries", retryAfterS: 1 }, "busy"],
  [refused(400), "refused"],
  [refused(403), "forbidden"],
  [refused(404), "unknown-camera"],
  [refused(409), "no-codec"],
  [refused(500), "refused"],
  [refused(503), "busy"],
])("%j means %s", (failure, cause) => {
  expect(causeOf(failure)).toBe(cause);
});

test.each([
  ["/api/v1/cameras/a/whep/7", "https://gateway.test/api/v1/cameras/a/whep/7"],
  ["https://gateway.test/api/v1/cameras/a/whep/7", "https://gateway.test/api/v1/cameras/a/whep/7"],
  ["https://elsewhere.test/x", null],
  ["//elsewhere.test/x", null],
  ["https://", null],
  ["", null],
  [null, null],
])("a session at %s is ended at %s", (location, expected) => {
  expect(sessionUrl(location, "https://gateway.test/")).toBe(expected);
});
