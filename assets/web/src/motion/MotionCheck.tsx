// The motion check: a sweep of the camera, with the picture beside what is told about it.

import { useMemo, useRef, useState } from "preact/hooks";
import { DoubtNotice } from "../editor/Notices";
import { useScale } from "../editor/Stage";
import type { LookingAt } from "../editor/useView";
import { ZoneShapes } from "../editor/ZoneShapes";
import type { Zone } from "../masks/document";
import type { Trimmed } from "../masks/trimmed";
import { Picture } from "../parts/Picture";
import { Trouble } from "../steering/SteeringPanel";
import type { Steering } from "../steering/useSteering";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Charts } from "./Charts";
import { legOf } from "./check";
import { legName, LegTable, Summary } from "./Results";
import { useCheck } from "./useCheck";

const SPANS = [10, 30, 60, 90];

interface Props {
  camera: CameraView;
  comebacks: number;
  expired: () => void;
  looking: LookingAt;
  steering: Steering;
  zones: readonly Zone[];
  trimmed: Trimmed | null;
}

export function MotionCheck({ camera, comebacks, expired, looking, steering, zones, trimmed }: Props) {
  const { t } = useTexts();
  const words = t.motion;
  const { check, start, stop } = useCheck(camera, looking, steering);
  const [span, setSpan] = useState(30);
  const leg = check && legOf(check);
  const may = looking.view !== null && (looking.doubt === "none" || looking.doubt === "moving");
  const status = !check
    ? ""
    : check.end
      ? `${words.end[check.end]} ${check.end === "done" ? (check.passed.at(-1)?.how === "reached" ? words.back : words.notBack) : ""}`
      : leg
        ? words.running(legName(leg, t), String(check.passed.length + 1), String(check.legs.length))
        : "";
  return (
    <section class="motion" aria-labelledby="motion-heading">
      <div class="motion-top">
        <div class="motion-watch">
          <Watch {...{ camera, comebacks, expired, looking, zones, trimmed }} />
        </div>
        <div class="motion-about">
          <h2 id="motion-heading">{words.heading}</h2>
          <p>{words.intro}</p>
          <div class="row">
            <label for="motion-span">{words.span}</label>
            <select
              id="motion-span"
              value={String(span)}
              disabled={leg !== null}
              onChange={(event) => setSpan(Number(event.currentTarget.value))}
            >
              {SPANS.map((deg) => (
                <option key={deg} value={String(deg)}>
                  {words.degrees(String(deg))}
                </option>
              ))}
            </select>
            {leg ? (
              <button type="button" class="primary" onClick={stop}>
                {words.stop} <kbd aria-hidden="true">Esc</kbd>
              </button>
            ) : (
              <button type="button" class="primary" aria-disabled={!may} onClick={() => may && start(span)}>
                {check ? words.again : words.start}
              </button>
            )}
          </div>
          {!may && !leg && <p class="quiet-text">{words.cannot}</p>}
          <p role="status" class="motion-status">
            {status}
          </p>
          {steering.trouble && <Trouble failure={steering.trouble} dismiss={steering.dismiss} />}
          {check?.end && <Summary check={check} />}
        </div>
      </div>
      {check && <Charts check={check} />}
      {check?.end && <LegTable check={check} />}
    </section>
  );
}

/** The picture with the outlines, to look at only. */
function Watch({ camera, comebacks, expired, looking, zones, trimmed }: Omit<Props, "steering">) {
  const { chart, doubt } = looking;
  const [width, height] = chart ? [chart.width, chart.height] : [16, 9];
  const drawing = useRef<SVGSVGElement>(null);
  const scale = useScale(drawing, width);
  const shapes = useMemo(
    () =>
      chart && (
        <ZoneShapes
          zones={zones}
          sheet={chart}
          selected={null}
          scale={scale}
          doubtful={doubt !== "none"}
          {...(trimmed ? { placesOf: trimmed.of } : {})}
        />
      ),
    [chart, zones, scale, doubt, trimmed],
  );
  return (
    <div class="masks-stage" style={{ aspectRatio: `${width} / ${height}`, "--shape": String(width / height) }}>
      <Picture camera={camera} comebacks={comebacks} expired={expired} />
      <svg ref={drawing} class="watching-area" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {shapes}
      </svg>
      <DoubtNotice looking={looking} />
    </div>
  );
}
