import { expect, test } from "vitest";
import { cameraHref, masksHref, parseRoute } from "./route";

test.each([
  ["", { page: "wall" }],
  ["#/", { page: "wall" }],
  ["#/state", { page: "state" }],
  ["#/audit", { page: "audit" }],
  ["#/stills", { page: "stills" }],
  ["#/camera/market", { page: "camera", id: "market" }],
  ["#/masks/market", { page: "masks", id: "market", preset: null }],
  ["#/masks/market/fountain", { page: "masks", id: "market", preset: "fountain" }],
  ["#/masks/market/fountain/x", { page: "unknown" }],
  ["#/masks/market/%zz", { page: "unknown" }],
  ["#/masks/", { page: "unknown" }],
  ["#/camera/", { page: "unknown" }],
  ["#/camera/a/b", { page: "unknown" }],
  ["#/camera/%zz", { page: "unknown" }],
  ["#/elsewhere", { page: "unknown" }],
])("%s", (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
});

test("a camera's address leads to that camera", () => {
  for (const id of ["market", "a b", "ä/ö", "100%"]) {
    expect(parseRoute(cameraHref(id))).toEqual({ page: "camera", id });
    expect(parseRoute(masksHref(id))).toEqual({ page: "masks", id, preset: null });
    expect(parseRoute(masksHref("market", id))).toEqual({ page: "masks", id: "market", preset: id });
  }
});
