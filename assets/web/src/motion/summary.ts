// What a motion check has shown, in figures. Pure.

import { nearestTurn } from "../geometry/vector";
import type { Check, Look, Passed } from "./check";

export interface Figures {
  seconds: number;
  /** The largest margin that was told; none where none was. */
  margin_deg: number | null;
  /** Largest speed of turning, degrees a second. */
  speed_deg_s: number | null;
  /** Shares of the time, 0 to 1. */
  shares: Record<Look["state"], number>;
  /** Seconds by state and reason, the longest first; those of `live` have none. */
  reasons: { state: Look["state"]; reason: string; seconds: number }[];
}

/** Longer than this between two looks nothing is known. */
const GAP_S = 1;
/** Speeds are measured over this: one step of a position is no speed. */
const SPEED_OVER_S = 0.3;

export function figuresOf(samples: readonly Look[]): Figures {
  const spent: Record<Look["state"], number> = { live: 0, widened: 0, covered: 0, unknown: 0 };
  const reasons = new Map<string, Figures["reasons"][number]>();
  samples.slice(1).forEach((to, i) => {
    const from = samples[i] ?? to;
    const s = Math.min(GAP_S, Math.max(0, to.at_s - from.at_s));
    spent[from.state] += s;
    if (from.state === "live" || !from.reason) return;
    const key = `${from.state} ${kindOf(from.reason)}`;
    const entry = reasons.get(key) ?? { state: from.state, reason: kindOf(from.reason), seconds: 0 };
    reasons.set(key, { ...entry, seconds: entry.seconds + s });
  });
  const seconds = spent.live + spent.widened + spent.covered + spent.unknown;
  const share = (state: Look["state"]) => (seconds > 0 ? spent[state] / seconds : 0);
  const margins = samples.flatMap(({ margin_deg }) => (margin_deg === null ? [] : [margin_deg]));
  return {
    seconds,
    margin_deg: margins.length > 0 ? Math.max(...margins) : null,
    speed_deg_s: fastest(samples),
    shares: { live: share("live"), widened: share("widened"), covered: share("covered"), unknown: share("unknown") },
    reasons: [...reasons.values()].sort((a, b) => b.seconds - a.seconds),
  };
}

export interface LegFigures extends Passed {
  figures: Figures;
}

export function byLeg({ passed, samples }: Check): LegFigures[] {
  return passed.map((leg) => {
    const within = samples.filter(({ at_s }) => at_s >= leg.from_s && at_s <= leg.to_s);
    return { ...leg, figures: figuresOf(within) };
  });
}

/** Stretches in which the state did not change. */
export function bandsOf(samples: readonly Look[]): { state: Look["state"]; from_s: number; to_s: number }[] {
  const bands: { state: Look["state"]; from_s: number; to_s: number }[] = [];
  for (const { state, at_s } of samples) {
    const last = bands[bands.length - 1];
    if (last) last.to_s = at_s;
    if (last?.state !== state) bands.push({ state, from_s: at_s, to_s: at_s });
  }
  return bands;
}

function fastest(samples: readonly Look[]): number | null {
  let [most, from] = [null as number | null, 0];
  samples.forEach((to, i) => {
    while (from < i && to.at_s - (samples[from + 1]?.at_s ?? to.at_s) >= SPEED_OVER_S) from += 1;
    const old = samples[from];
    if (!old || old.pan_deg === null || to.pan_deg === null || to.at_s - old.at_s < SPEED_OVER_S) return;
    const speed = Math.abs(nearestTurn(to.pan_deg - old.pan_deg, 0)) / (to.at_s - old.at_s);
    if (most === null || speed > most) most = speed;
  });
  return most;
}

/** `telemetry 2.3 s old` and `telemetry 2.4 s old` are one reason. */
function kindOf(reason: string): string {
  return reason.replace(/\d+([.,]\d+)?/g, "…");
}
