// The camera's masked picture with the zones drawn over it.

import { useLayoutEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";
import type { Pixel } from "../geometry/types";
import { selectedZone, type Edit, type Editing } from "../masks/editing";
import type { Trimmed } from "../masks/trimmed";
import { Picture } from "../parts/Picture";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { DoubtNotice } from "./Notices";
import { Cross, Drawn, Handles } from "./Handles";
import { usePointer } from "./usePointer";
import { StillPicture } from "./StillBar";
import type { Frozen } from "./useStill";
import { useGoPointer, useTrimPointer, type Tool, type ToolProps } from "./useTools";
import type { LookingAt } from "./useView";
import { ZoneShapes } from "./ZoneShapes";

interface Props {
  camera: CameraView;
  comebacks: number;
  expired: () => void;
  looking: LookingAt;
  /** Stands in place of the live picture. */
  still: Frozen | null;
  may: boolean;
  editing: Editing;
  dispatch: (edit: Edit) => void;
  cursor: Pixel | null;
  setCursor: (at: Pixel) => void;
  drawingArea: RefObject<SVGSVGElement | null>;
  trimmed: Trimmed | null;
  tools: Omit<ToolProps, "scale">;
}

export function Stage(props: Props) {
  const { camera, comebacks, expired, looking, still, may, editing, dispatch, cursor, setCursor, drawingArea } = props;
  const { trimmed, tools } = props;
  const { t } = useTexts();
  const { chart, doubt } = looking;
  const [width, height] = chart ? [chart.width, chart.height] : [16, 9];
  const scale = useScale(drawingArea, width);
  const zone = selectedZone(editing);
  // A zone is edited where it is seen: with its trim.
  const own = (zone && trimmed?.of(zone.id).hidden[0]) ?? chart;
  const pointers = {
    zones: usePointer({ chart: may ? own : null, editing, dispatch, scale, setCursor }),
    go: useGoPointer({ ...tools, scale }),
    trim: useTrimPointer({ ...tools, scale }),
  };
  const { tool } = tools;
  return (
    <div class="masks-stage" style={{ aspectRatio: `${width} / ${height}`, "--shape": String(width / height) }}>
      <Picture camera={camera} comebacks={comebacks} expired={expired} />
      {still && <StillPicture frozen={still} camera={camera.id} />}
      <p class="unseen" id="stage-describe">
        {tool === "zones" ? t.masks.stage.describe : tool === "go" ? t.steering.pointHint : t.presets.trim.hint}
      </p>
      <svg
        ref={drawingArea}
        class={areaClass(editing, tool)}
        viewBox={`0 0 ${width} ${height}`}
        role="application"
        // Lower case: on an element of SVG the other spelling is not heard.
        tabindex={0}
        data-editing
        aria-label={t.masks.stage.label(camera.id)}
        aria-describedby="stage-describe"
        {...pointers[tool]}
      >
        {chart && (
          <>
            <ZoneShapes
              zones={editing.document.zones}
              sheet={chart}
              selected={editing.zone}
              scale={scale}
              doubtful={doubt !== "none"}
              {...(trimmed ? { placesOf: trimmed.of } : {})}
            />
            {zone && own && may && tool === "zones" && (
              <Handles zone={zone} point={editing.point} chart={own} scale={scale} />
            )}
            {editing.drawing && <Drawn drawing={editing.drawing} chart={chart} scale={scale} cursor={cursor} />}
            {tool === "go" && cursor && <Cross at={cursor} scale={scale} />}
          </>
        )}
      </svg>
      <DoubtNotice looking={looking} />
    </div>
  );
}

function areaClass({ drawing }: Editing, tool: Tool): string {
  if (drawing || tool === "go") return "drawing-area drawing-area-draws";
  return tool === "trim" ? "drawing-area drawing-area-trims" : "drawing-area";
}

/** Pixels of the drawing in one of the screen. */
export function useScale(element: RefObject<SVGSVGElement | null>, width: number): number {
  const [shown, setShown] = useState(width);
  useLayoutEffect(() => {
    const svg = element.current;
    if (!svg) return;
    const measure = () => setShown(svg.clientWidth || svg.getBoundingClientRect().width || width);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(svg);
    return () => watch.disconnect();
  }, [element, width]);
  return width / shown;
}
