import { expect, test } from "vitest";
import { causeOfClose, mimeIn } from "./socket";

test.each([
  [4401, "logged-out"],
  [4404, "unknown-camera"],
  [1001, "lost"],
  [1006, "lost"],
])("closed with %i means %s", (code, cause) => {
  expect(causeOfClose(code)).toBe(cause);
});

test.each<[string, string | null]>([
  ['{"mime":"video/mp4; codecs=\\"avc1.42C01F\\""}', 'video/mp4; codecs="avc1.42C01F"'],
  ['{"mime":"x","more":1}', "x"],
  ['{"mime":1}', null],
  ["{}", null],
  ["null", null],
  ["", null],
])("the form in %s is %s", (text, mime) => {
  expect(mimeIn(text)).toBe(mime);
});
