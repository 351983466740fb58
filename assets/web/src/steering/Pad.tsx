// A joystick for mouse, finger and pen: where it is pressed is how fast the camera turns.

import { useRef, useState } from "preact/hooks";
import { useTexts } from "../text/language";
import { knob, padMove } from "./deflection";
import type { Steering } from "./useSteering";

const RADIUS = 50;
const KNOB = 15;
/** How far the knob's middle goes. */
const TRAVEL = RADIUS - KNOB - 3;

export function Pad({ steering }: { steering: Steering }) {
  const { t } = useTexts();
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const pointer = useRef<number | null>(null);

  const follow = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const travel = (box.width / 2) * (TRAVEL / RADIUS);
    const x = (event.clientX - box.left - box.width / 2) / travel;
    const y = (event.clientY - box.top - box.height / 2) / travel;
    setAt(knob(x, y));
    steering.hold(padMove(x, y));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || pointer.current !== null) return;
    pointer.current = event.pointerId;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    follow(event);
  };
  const move = (event: PointerEvent) => {
    if (event.pointerId === pointer.current) follow(event);
  };
  const up = (event: PointerEvent) => {
    if (event.pointerId !== pointer.current) return;
    pointer.current = null;
    setAt(null);
    steering.hold({ pan: 0, tilt: 0 });
  };
  const { x, y } = at ?? { x: 0, y: 0 };
  return (
    <div
      class={at ? "pad pad-held" : "pad"}
      role="application"
      tabIndex={0}
      data-steer
      aria-label={t.steering.pad}
      aria-describedby="pad-help"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onLostPointerCapture={up}
      onContextMenu={(event) => event.preventDefault()}
    >
      <svg viewBox={`${-RADIUS} ${-RADIUS} ${2 * RADIUS} ${2 * RADIUS}`} aria-hidden="true">
        <circle class="pad-ground" r={RADIUS - 1.5} />
        {[0, 90, 180, 270].map((turn) => (
          <path key={turn} class="pad-arrow" d="M0 -44 5 -37 -5 -37Z" transform={`rotate(${turn})`} />
        ))}
        <circle class="pad-knob" cx={x * TRAVEL} cy={y * TRAVEL} r={KNOB} />
      </svg>
    </div>
  );
}

interface ZoomProps {
  steering: Steering;
  direction: 1 | -1;
}

const ZOOM_SPEED = 0.5;

/** Zooms while it is held, by pointer or by key. */
export function ZoomButton({ steering, direction }: ZoomProps) {
  const { t } = useTexts();
  const holding = useRef(false);
  const press = () => {
    holding.current = true;
    steering.hold({ zoom: direction * ZOOM_SPEED });
  };
  const release = () => {
    if (!holding.current) return;
    holding.current = false;
    steering.hold({ zoom: 0 });
  };
  const presses = (key: string) => key === "Enter" || key === " ";
  return (
    <button
      type="button"
      class="zoom"
      aria-label={direction > 0 ? t.steering.zoomIn : t.steering.zoomOut}
      title={direction > 0 ? t.steering.zoomIn : t.steering.zoomOut}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        press();
      }}
      onPointerUp={release}
      onPointerCancel={release}
      onLostPointerCapture={release}
      onKeyDown={(event) => {
        if (!presses(event.key)) return;
        event.preventDefault();
        if (!event.repeat) press();
      }}
      onKeyUp={(event) => presses(event.key) && release()}
      onBlur={release}
      onContextMenu={(event) => event.preventDefault()}
    >
      {direction > 0 ? "+" : "−"}
    </button>
  );
}
