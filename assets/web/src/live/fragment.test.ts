import { expect, test } from "vitest";
import { isKeyFrame } from "./fragment";

function box(type: string, ...parts: number[][]): number[] {
  const inner = parts.flat();
  const size = inner.length + 8;
  return [0, 0, size >> 8, size & 255, ...[...type].map((letter) => letter.charCodeAt(0)), ...inner];
}

/** A fragment as the gateway makes them, with a run of these flags and words. */
function fragment(has: number, ...words: number[]): ArrayBuffer {
  const run = [has, ...words].flatMap((word) => [(word >>> 24) & 255, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  const head = box("tfhd", [0, 2, 0, 0, 0, 0, 0, 1]);
  const moof = box("moof", box("mfhd", [0, 0, 0, 0, 0, 0, 0, 7]), box("traf", head, box("trun", run)));
  return new Uint8Array([...moof, ...box("mdat", [1, 2, 3])]).buffer;
}

test.each<[string, ArrayBuffer, boolean]>([
  ["a key frame", fragment(0x601, 1, 112, 3, 0x0200_0000), true],
  ["another frame", fragment(0x601, 1, 112, 3, 0x0101_0000), false],
  ["a key frame that says how long it lasts", fragment(0x701, 1, 112, 90_000, 3, 0x0200_0000), true],
  ["another frame that says it", fragment(0x701, 1, 112, 90_000, 3, 0x0101_0000), false],
  ["a run without flags", fragment(0x201, 1, 112, 3), false],
  ["a run that is cut off", fragment(0x601, 1), false],
  ["an init segment", new Uint8Array(box("ftyp", [105, 115, 111, 53])).buffer, false],
  ["a box that says it has no size", new Uint8Array(12).buffer, false],
  ["nothing", new ArrayBuffer(0), false],
])("%s", (_, bytes, key) => {
  expect(isKeyFrame(bytes)).toBe(key);
});
