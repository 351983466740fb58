// On the panorama: what the camera has looked at, what not yet, and what it never can.

import { useId, useMemo } from "preact/hooks";
import type { Reach } from "../api/model";
import { pathOf, reachable, shareOf, type Cells } from "../geometry/globe";
import type { TurningView } from "../geometry/types";
import { number } from "../text/format";
import { useTexts } from "../text/language";
import type { Seen } from "./useSeen";

/** The cells within reach; none where that is not known. It follows from what does not change. */
export function useReach(reach: Reach | null, view: TurningView | null): Cells | null {
  const key =
    reach && view
      ? JSON.stringify([reach.pan_deg, reach.tilt_deg, reach.hfov_deg, reach.endless_pan, view.size, view.mount])
      : "";
  return useMemo(() => {
    if (!reach || !view) return null;
    const { pan_deg, tilt_deg, endless_pan, hfov_deg } = reach;
    return reachable({ pan_deg, tilt_deg, endless_pan, hfov_deg: hfov_deg[1] }, view);
  }, [key]);
}

interface Props {
  seen: Seen;
  reach: Cells | null;
  /** Pixels of the drawing in one of the screen. */
  scale: number;
}

export function Globe({ seen, reach, scale }: Props) {
  const id = useId();
  const never = useMemo(() => (reach ? pathOf((i) => reach[i] === 0) : ""), [reach]);
  const looked = useMemo(() => pathOf((i) => seen.cells[i] === 1), [seen.cells, seen.round]);
  const step = 7 * scale;
  return (
    <g aria-hidden="true">
      <defs>
        <pattern
          id={`${id}-never`}
          patternUnits="userSpaceOnUse"
          width={step}
          height={step}
          patternTransform="rotate(45)"
        >
          <rect class="globe-stripe" width={step / 3} height={step} />
        </pattern>
      </defs>
      <path class="globe-seen" d={looked} />
      <path class="globe-never" d={never} fill={`url(#${id}-never)`} />
    </g>
  );
}

export function GlobeLegend({ seen, reach }: { seen: Seen; reach: Cells | null }) {
  const { t, language } = useTexts();
  const words = t.steering.globe;
  const some = useMemo(() => reach?.some((within) => within === 0) ?? false, [reach]);
  const share = useMemo(() => (reach ? shareOf(seen.cells, reach) : 0), [seen.cells, seen.round, reach]);
  return (
    <>
      <ul class="legend" aria-label={words.legend}>
        <Key kind="now" text={words.now} />
        <Key kind="seen" text={words.seen} />
        <Key kind="not-yet" text={words.notYet} />
        {some && <Key kind="never" text={words.never} />}
      </ul>
      <p class="quiet-text small">
        {reach ? words.shares(number(100 * share, language)) : words.noReach}{" "}
        {reach && (some ? words.limits : words.all)}
      </p>
    </>
  );
}

function Key({ kind, text }: { kind: string; text: string }) {
  return (
    <li>
      <span class={`key-globe key-globe-${kind}`} aria-hidden="true" /> {text}
    </li>
  );
}
