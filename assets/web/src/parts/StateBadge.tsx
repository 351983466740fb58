// A camera's state as a shape and a word; the colour only repeats them.

import type { JSX } from "preact";
import { useTexts } from "../text/language";
import type { ShownState } from "../view";

const SHAPES: Record<ShownState, JSX.Element> = {
  // A disc, a diamond in a diamond, a full square, a cross, a broken ring.
  live: <circle cx="8" cy="8" r="6" fill="currentColor" />,
  widened: (
    <g fill="none" stroke="currentColor" stroke-width="1.8">
      <path d="M8 1 15 8 8 15 1 8Z" />
      <path d="M8 5.5 10.5 8 8 10.5 5.5 8Z" fill="currentColor" />
    </g>
  ),
  covered: <rect x="2" y="2" width="12" height="12" fill="currentColor" />,
  "no-signal": <path d="M3 3 13 13M13 3 3 13" fill="none" stroke="currentColor" stroke-width="3" />,
  unknown: (
    <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3.4 2.9" />
  ),
};

export function StateBadge({ state }: { state: ShownState }) {
  const { t } = useTexts();
  return (
    <span class={`state state-${state}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        {SHAPES[state]}
      </svg>
      {t.state[state]}
    </span>
  );
}
