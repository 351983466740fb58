// The points of the selected zone to grip, a + halfway along each edge, and
// the zone that is being drawn.

import type { Pixel } from "../geometry/types";
import type { Chart } from "../masks/chart";
import type { Editing } from "../masks/editing";
import type { Zone } from "../masks/document";
import { halfway } from "../masks/points";
import { distance } from "../masks/snap";
import { path } from "./ZoneShapes";

const POINT_PX = 6;
/** What a finger or an unsteady hand can meet. */
const GRIP_PX = 13;
const MIDDLE_PX = 7;
/** Shorter edges have no room for a +. */
const ROOM_PX = 44;

interface Props {
  zone: Zone;
  point: number | null;
  chart: Chart;
  scale: number;
}

export function Handles({ zone, point, chart, scale }: Props) {
  const { points } = zone.shape;
  const places = points.map(chart.place);
  return (
    <g class="handles">
      {points.map((a, i) => {
        const next = (i + 1) % points.length;
        const [from, to, b] = [places[i], places[next], points[next]];
        const middle = b ? chart.place(halfway(a, b)) : null;
        if (!from || !to || !middle || distance(from, to) < ROOM_PX * scale) return null;
        return <Middle key={i} at={middle} after={i} scale={scale} />;
      })}
      {places.map(
        (at, i) =>
          at && (
            <g key={i} class={i === point ? "handle handle-chosen" : "handle"} data-point={i}>
              <circle class="grip" cx={at.u} cy={at.v} r={GRIP_PX * scale} />
              <circle class="dot" cx={at.u} cy={at.v} r={(i === point ? 1.4 : 1) * POINT_PX * scale} />
            </g>
          ),
      )}
    </g>
  );
}

function Middle({ at: { u, v }, after, scale }: { at: Pixel; after: number; scale: number }) {
  const arm = 0.55 * MIDDLE_PX * scale;
  return (
    <g class="middle" data-after={after}>
      <circle class="grip" cx={u} cy={v} r={GRIP_PX * scale} />
      <circle class="ring" cx={u} cy={v} r={MIDDLE_PX * scale} />
      <path d={`M${u - arm} ${v}H${u + arm}M${u} ${v - arm}V${v + arm}`} />
    </g>
  );
}

interface DrawnProps {
  drawing: NonNullable<Editing["drawing"]>;
  chart: Chart;
  scale: number;
  cursor: Pixel | null;
}

/** The corners so far, the line to the cross, and the cross. */
export function Drawn({ drawing, chart, scale, cursor }: DrawnProps) {
  const { type, points } = drawing;
  const places = points.map(chart.place);
  const reach = cursor ? [...points, chart.pointAt(cursor, type)] : points;
  const edges = chart.edges({ type, points: reach } as Zone["shape"]);
  const closes = points.length >= 3;
  return (
    <g class="drawn">
      {edges.map((edge, i) => {
        const closing = i === reach.length - 1;
        if (reach.length < 2 || edge.length < 2) return null;
        return <path key={i} class={closing ? "drawn-line drawn-closing" : "drawn-line"} d={path(edge, false)} />;
      })}
      {places.map(
        (at, i) =>
          at && (
            <circle
              key={i}
              class={i === 0 && closes ? "dot dot-closes" : "dot"}
              cx={at.u}
              cy={at.v}
              r={(i === 0 && closes ? 1.5 : 1) * POINT_PX * scale}
            />
          ),
      )}
      {cursor && <Cross at={cursor} scale={scale} />}
    </g>
  );
}

/** Where a key would put a corner, or turn the camera. */
export function Cross({ at: { u, v }, scale }: { at: Pixel; scale: number }) {
  const arm = 12 * scale;
  return <path class="cross" d={`M${u - arm} ${v}H${u + arm}M${u} ${v - arm}V${v + arm}`} />;
}
