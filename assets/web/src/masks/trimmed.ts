// Where each zone lies in the picture of now, with the trims of the presets the camera is near.

import { isNone, shiftedView, shiftsAt, type Shift } from "../geometry/trim";
import type { ViewMessage } from "../geometry/types";
import { chartOf, type Chart } from "./chart";
import type { Preset } from "./document";

/** The places of one zone. */
export interface Places {
  /** Where it is hidden: its ends. The first one leads; it is the one that is edited. */
  hidden: [Chart, ...Chart[]];
  /** Where it would be hidden without trims, unless it is hidden there as well. */
  left: Chart | null;
}

export interface Trimmed {
  of: (zone: string) => Places;
  /** Whether some zone is hidden at more than one place, until the camera stands still on the preset. */
  between: boolean;
}

export function trimmed(view: ViewMessage, chart: Chart, presets: readonly Preset[] | undefined): Trimmed {
  const plain: Places = { hidden: [chart], left: null };
  if (view.kind !== "turning" || !presets?.length) return { of: () => plain, between: false };
  const places = new Map<string, Places>();
  const charts = new Map<string, Chart>();
  // Zones with the same trim share a chart, and with it the outlines it has made.
  const shifted = (shift: Shift): Chart => {
    if (isNone(shift)) return chart;
    const key = `${shift.pan_deg} ${shift.tilt_deg}`;
    const made = charts.get(key) ?? chartOf(shiftedView(view, shift));
    charts.set(key, made);
    return made;
  };
  let between = false;
  for (const [zone, shifts] of shiftsAt(presets, view)) {
    const [first, ...rest] = shifts;
    if (!first) continue;
    places.set(zone, {
      hidden: [shifted(first), ...rest.map(shifted)],
      left: shifts.some(isNone) ? null : chart,
    });
    between ||= rest.length > 0;
  }
  return { of: (zone) => places.get(zone) ?? plain, between };
}
