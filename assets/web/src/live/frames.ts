// When the last new picture was shown in a video element.

/** A picture older than this is said to be old. */
export const FROZEN_AFTER_MS = 2000;
/** A connection over which no picture at all came for so long is given up. */
export const FIRST_WITHIN_MS = 3000;
/** Without a new picture for so long, the connection is given up. The gateway sends one each second at least. */
export const GIVE_UP_AFTER_MS = 6000;

export interface FrameWatch {
  /** Milliseconds since a new picture came, or since the watch began. */
  ageMs: () => number;
  /** Whether any picture came since the watch began. */
  any: () => boolean;
  stop: () => void;
}

/**
 * Watches `video` from now on. A frame that is shown counts, and so does one that
 * is decoded for a part of the page that is scrolled out of sight.
 */
export function watchFrames(video: HTMLVideoElement): FrameWatch {
  let last = performance.now();
  let seen = false;
  let stopped = false;
  let decoded = video.getVideoPlaybackQuality().totalVideoFrames;
  let hidden = document.hidden;
  const fresh = () => {
    last = performance.now();
    seen = true;
  };
  const onFrame = () => {
    if (stopped) return;
    fresh();
    video.requestVideoFrameCallback(onFrame);
  };
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(onFrame);
  return {
    ageMs: () => {
      const now = video.getVideoPlaybackQuality().totalVideoFrames;
      if (now > decoded) fresh();
      decoded = now;
      // Browsers draw nothing in a page nobody sees: begin anew when it is seen again.
      if (document.hidden || hidden) last = performance.now();
      hidden = document.hidden;
      return performance.now() - last;
    },
    any: () => seen,
    stop: () => {
      stopped = true;
    },
  };
}
