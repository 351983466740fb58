// The joystick, zoom, home and going to a point; who steers; what went wrong.

import type { Failure } from "../api/client";
import { useTexts } from "../text/language";
import { Pad, ZoomButton } from "./Pad";
import type { Steering } from "./useSteering";

interface Props {
  steering: Steering;
  user: string;
  /** Whether a click in the picture turns the camera there; none where there is no picture to click in. */
  point: { on: boolean; toggle: () => void; may: boolean } | null;
}

export function SteeringPanel({ steering, user, point }: Props) {
  const { t } = useTexts();
  const words = t.steering;
  const { reach, trouble } = steering;
  const by = reach.held_by;
  const who = by === null ? words.nobody : by === user ? words.you : words.other(by);
  return (
    <section class="steering" aria-labelledby="steering-heading">
      <details open>
        <summary>
          <h2 id="steering-heading">{words.heading}</h2>
          <span class={by !== null && by !== user ? "steers steers-other" : "steers"}>{who}</span>
        </summary>
        <div class="steering-body">
          <Pad steering={steering} />
          <p class="unseen" id="pad-help">
            {words.padHelp}
          </p>
          <div class="steering-buttons">
            <div class="row" role="group">
              <ZoomButton steering={steering} direction={-1} />
              <ZoomButton steering={steering} direction={1} />
              <button type="button" class="stop" onClick={() => steering.send({ kind: "stop" })}>
                {words.stop}
              </button>
            </div>
            {reach.home && (
              <button type="button" title={words.homeHelp} onClick={() => steering.send({ kind: "home" })}>
                {words.home}
              </button>
            )}
            {point && (
              <button
                type="button"
                aria-pressed={point.on}
                aria-disabled={!point.may && !point.on}
                onClick={() => (point.may || point.on) && point.toggle()}
              >
                {words.point}
              </button>
            )}
          </div>
        </div>
      </details>
      {/* Outside of what can be folded away: a summary is a button, in which nobody would hear it change. */}
      <p class="unseen" role="status">
        {who}
      </p>
      {trouble && <Trouble failure={trouble} dismiss={steering.dismiss} />}
    </section>
  );
}

export function Trouble({ failure, dismiss }: { failure: Failure; dismiss: () => void }) {
  const { t } = useTexts();
  const words = t.steering.trouble;
  const trouble = troubleOf(failure);
  // Who steers is told above already.
  const said = failure.kind === "refused" && trouble !== "held" ? failure.problem : null;
  return (
    <div class="steering-trouble" role="alert">
      <p>
        {words[trouble]} {said && <span lang="en">{[said.error, said.remedy].filter(Boolean).join(" ")}</span>}
      </p>
      <button type="button" class="quiet" onClick={dismiss}>
        {words.dismiss}
      </button>
    </div>
  );
}

function troubleOf(failure: Failure): "held" | "beyond" | "camera" | "many" | "unreachable" | "other" {
  if (failure.kind === "unreachable") return "unreachable";
  if (failure.kind === "too-many-tries") return "many";
  if (failure.kind !== "refused") return "other";
  const kinds: Record<number, "held" | "beyond" | "camera"> = { 409: "held", 422: "beyond", 502: "camera" };
  return kinds[failure.status] ?? "other";
}
