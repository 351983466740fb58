// Reads in the gateway's fragments of MP4 (ISO/IEC 14496-12) what the page must know: key frames.

const HEAD = 8;
/** Before a run's samples: version and flags, how many, where the data is. */
const RUN_HEAD = 12;
/** What each sample of a run may say, and of what length, in this order: duration, size, flags. */
const RUN_HAS_DATA_OFFSET = 0x1;
const SAMPLE_DURATION = 0x100;
const SAMPLE_SIZE = 0x200;
const SAMPLE_FLAGS = 0x400;
const IS_NO_KEY = 0x1_0000;

function name(type: string): number {
  return [...type].reduce((all, letter) => all * 256 + letter.charCodeAt(0), 0);
}

/** The part of `view` inside its first box of that type; null where there is none. */
function inside(view: DataView, type: string): DataView | null {
  for (let at = 0; at + HEAD <= view.byteLength; ) {
    const size = view.getUint32(at);
    if (size < HEAD || at + size > view.byteLength) return null;
    if (view.getUint32(at + 4) === name(type)) {
      return new DataView(view.buffer, view.byteOffset + at + HEAD, size - HEAD);
    }
    at += size;
  }
  return null;
}

/** Whether a fragment of one frame is a key frame; false as well for what is no such fragment. */
export function isKeyFrame(bytes: ArrayBuffer): boolean {
  let box: DataView | null = new DataView(bytes);
  for (const type of ["moof", "traf", "trun"]) box = box && inside(box, type);
  if (!box || box.byteLength < RUN_HEAD) return false;
  const has = box.getUint32(0) & 0xff_ffff;
  if (!(has & RUN_HAS_DATA_OFFSET) || !(has & SAMPLE_FLAGS)) return false;
  const before = (has & SAMPLE_DURATION ? 4 : 0) + (has & SAMPLE_SIZE ? 4 : 0);
  if (box.byteLength < RUN_HEAD + before + 4) return false;
  return !(box.getUint32(RUN_HEAD + before) & IS_NO_KEY);
}
