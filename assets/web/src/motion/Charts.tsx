// Margin and pan along the time of a check, with the state of the picture behind them.

import { useId } from "preact/hooks";
import { StateBadge } from "../parts/StateBadge";
import { degrees, number } from "../text/format";
import { useTexts } from "../text/language";
import { lineOf, ticksOf, unwrap } from "./axis";
import type { Check, Look } from "./check";
import { bandsOf } from "./summary";

const SIZE = { width: 900, height: 190 };
const ROOM = { left: 56, right: 12, top: 10, bottom: 26 };
/** What lasted one look only is seen too. */
const SHORTEST_PX = 4;
/** Room for the name of the axis at its end. */
const TIME_PX = 70;
/** So that a check that has just begun is not a line across the whole width. */
const LEAST_S = 20;
const STATES = ["live", "widened", "covered", "unknown"] as const;

export function Charts({ check }: { check: Check }) {
  const { t, language } = useTexts();
  const words = t.motion.chart;
  const { samples } = check;
  const margins = samples.map(({ margin_deg }) => margin_deg);
  const pans = unwrap(samples.map(({ pan_deg }) => pan_deg));
  const label = (values: (number | null)[], text: (least: string, most: string) => string) => {
    const known = values.filter((value) => value !== null);
    return text(degrees(Math.min(...known), language), degrees(Math.max(...known), language));
  };
  return (
    <div class="charts">
      <Chart
        check={check}
        values={margins}
        floor={0}
        heading={words.margin}
        label={label(margins, words.marginLabel)}
      />
      <Chart check={check} values={pans} floor={null} heading={words.pan} label={label(pans, words.panLabel)} />
      <ul class="legend" aria-label={words.legend}>
        {STATES.map((state) => (
          <li key={state}>
            <span class={`key-band key-band-${state}`} aria-hidden="true" />
            <StateBadge state={state} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ChartProps {
  check: Check;
  /** One for each sample. */
  values: readonly (number | null)[];
  /** The lowest value of the axis, where it has one. */
  floor: number | null;
  heading: string;
  label: string;
}

function Chart({ check, values, floor, heading, label }: ChartProps) {
  const { t, language } = useTexts();
  const id = useId();
  const { samples, passed } = check;
  const end_s = Math.max(LEAST_S, samples.at(-1)?.at_s ?? 0);
  const known = values.filter((value) => value !== null);
  const [low, high] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [0, 1];
  const ticks = ticksOf(floor ?? low, Math.max(high, low + 0.1));
  const [bottom, top] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (at_s: number) => ROOM.left + ((SIZE.width - ROOM.left - ROOM.right) * at_s) / end_s;
  const depth = SIZE.height - ROOM.top - ROOM.bottom;
  const y = (value: number) => ROOM.top + depth * (1 - (value - bottom) / (top - bottom || 1));
  const line = lineOf(
    samples.map(({ at_s }, i) => {
      const value = values[i] ?? null;
      return { x: x(at_s), y: value === null ? null : y(value) };
    }),
  );
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  return (
    <figure class="chart">
      <figcaption>{heading}</figcaption>
      <svg viewBox={`0 0 ${SIZE.width} ${SIZE.height}`} role="img" aria-label={label}>
        <Patterns id={id} />
        {bandsOf(samples).map(({ state, from_s, to_s }) => {
          const [left, width] = [x(from_s), Math.max(SHORTEST_PX, x(to_s) - x(from_s))];
          const fill = state === "live" ? {} : { fill: `url(#${id}-${state})` };
          return (
            <g key={from_s}>
              <rect class={`band-${state}`} x={left} y={ROOM.top} width={width} height={depth} {...fill} />
              {state !== "live" && (
                <rect class={`band-stroke-${state}`} x={left} y={ROOM.top - 6} width={width} height={5} />
              )}
            </g>
          );
        })}
        <g class="chart-grid">
          {ticks.map((tick) => (
            <g key={tick}>
              <path d={`M${ROOM.left} ${y(tick)}H${SIZE.width - ROOM.right}`} />
              <text x={ROOM.left - 6} y={y(tick) + 4} text-anchor="end">
                {degrees(tick, language, digits)}
              </text>
            </g>
          ))}
          {ticksOf(0, end_s)
            .filter((tick) => x(tick) < SIZE.width - ROOM.right - TIME_PX)
            .map((tick) => (
              <text key={tick} x={x(tick)} y={SIZE.height - 8} text-anchor="middle">
                {number(tick, language)}
              </text>
            ))}
          <text x={SIZE.width - ROOM.right} y={SIZE.height - 8} text-anchor="end">
            {t.motion.chart.time}
          </text>
        </g>
        {passed.map(({ to_s }, i) => (
          <path key={i} class="chart-part" d={`M${x(to_s)} ${ROOM.top}v${depth}`} />
        ))}
        <path class="chart-casing" d={line} />
        <path class="chart-line" d={line} />
      </svg>
    </figure>
  );
}

/** Each state but `live` has a form of its own besides its colour. */
function Patterns({ id }: { id: string }) {
  const name = (state: Look["state"]) => ({
    id: `${id}-${state}`,
    patternUnits: "userSpaceOnUse" as const,
    width: 8,
    height: 8,
  });
  return (
    <defs>
      <pattern {...name("widened")}>
        <rect class="band-stroke-widened" width={1.5} height={8} />
      </pattern>
      <pattern {...name("covered")} patternTransform="rotate(45)">
        <rect class="band-stroke-covered" width={4} height={8} />
      </pattern>
      <pattern {...name("unknown")}>
        <rect class="band-stroke-unknown" x={3} y={3} width={2} height={2} />
      </pattern>
    </defs>
  );
}
