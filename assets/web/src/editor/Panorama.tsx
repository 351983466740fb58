// All zones by direction, and what the camera sees now as a frame among them.

import { useMemo, useRef } from "preact/hooks";
import { cameraOf } from "../geometry/camera";
import { BOTTOM_DEG, frameInPanorama, TOP_DEG, toPanorama } from "../geometry/panorama";
import { PANORAMA_SHEET } from "../masks/chart";
import type { Zone } from "../masks/document";
import { useTexts } from "../text/language";
import type { Reach } from "../api/model";
import { Globe, GlobeLegend, useReach } from "./Globe";
import { DoubtNotice } from "./Notices";
import { useScale } from "./Stage";
import type { Seen } from "./useSeen";
import type { LookingAt } from "./useView";
import { path, ZoneShapes } from "./ZoneShapes";

interface Props {
  zones: readonly Zone[];
  selected: string | null;
  looking: LookingAt;
  choose: (zone: string) => void;
  seen: Seen;
  /** What the camera can reach, as far as is known. */
  reach: Reach | null;
}

export function Panorama({ zones, selected, looking, choose, seen, reach }: Props) {
  const { t } = useTexts();
  const { view, doubt } = looking;
  const drawing = useRef<SVGSVGElement>(null);
  const { width, height } = PANORAMA_SHEET;
  const scale = useScale(drawing, width);
  // The frame moves ten times a second; the zones need not be made anew for that.
  const shapes = useMemo(
    () => (
      <ZoneShapes zones={zones} sheet={PANORAMA_SHEET} selected={selected} scale={scale} choose={choose} fewNames />
    ),
    [zones, selected, scale, choose, t],
  );
  const frame = useMemo(() => {
    if (view?.kind !== "turning") return [];
    try {
      return frameInPanorama(cameraOf(view));
    } catch {
      return [];
    }
  }, [view]);
  const cells = useReach(reach, view?.kind === "turning" ? view : null);
  const globe = useMemo(() => <Globe seen={seen} reach={cells} scale={scale} />, [seen.round, cells, scale]);
  return (
    <div class="panorama">
      <svg ref={drawing} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={t.masks.panorama.label}>
        {globe}
        <Grid scale={scale} />
        {shapes}
        {frame.map((outline, i) => (
          <path key={i} class={doubt !== "none" ? "view-frame view-doubtful" : "view-frame"} d={path(outline)} />
        ))}
      </svg>
      <DoubtNotice looking={looking} />
      <p class="quiet-text">
        {t.masks.panorama.intro}
        {zones.some((zone) => zone.shape.type === "image") && ` ${t.masks.zones.panoramaSkips}`}
      </p>
      {view?.kind === "turning" && <GlobeLegend seen={seen} reach={cells} />}
    </div>
  );
}

const PAN_STEP = 30;
const TILT_STEP = 30;
const LABEL_PX = 12;

export function Grid({ scale }: { scale: number }) {
  const { width, height } = PANORAMA_SHEET;
  const pans = Array.from({ length: 360 / PAN_STEP - 1 }, (_, i) => -180 + (i + 1) * PAN_STEP);
  const tilts = Array.from({ length: (TOP_DEG - BOTTOM_DEG) / TILT_STEP - 1 }, (_, i) => TOP_DEG - (i + 1) * TILT_STEP);
  const size = { fontSize: `${LABEL_PX * scale}px` };
  return (
    <g class="grid" aria-hidden="true">
      {pans.map((pan_deg) => {
        const { u } = toPanorama({ pan_deg, tilt_deg: 0 });
        return (
          <g key={pan_deg}>
            <path d={`M${u} 0V${height}`} />
            <text x={u + 3 * scale} y={height - 4 * scale} style={size}>
              {`${pan_deg}°`.replace("-", "−")}
            </text>
          </g>
        );
      })}
      {tilts.map((tilt_deg) => {
        const { v } = toPanorama({ pan_deg: 0, tilt_deg });
        return (
          <g key={tilt_deg} class={tilt_deg === 0 ? "horizon" : undefined}>
            <path d={`M0 ${v}H${width}`} />
            <text x={3 * scale} y={v - 3 * scale} style={size}>
              {`${tilt_deg}°`.replace("-", "−")}
            </text>
          </g>
        );
      })}
    </g>
  );
}
