// Rate, latency and viewers of a camera in one line.

import type { CameraStatus } from "../api/model";
import { useWay } from "../live/useWay";
import { number } from "../text/format";
import { useTexts } from "../text/language";

const EYE = (
  <svg viewBox="0 0 16 16" width="15" height="15" fill="none" stroke="currentColor" stroke-width="1.4" aria-hidden="true">
    <path d="M1 8c2-3.4 4.3-5 7-5s5 1.6 7 5c-2 3.4-4.3 5-7 5S3 11.4 1 8Z" />
    <circle cx="8" cy="8" r="2.2" />
  </svg>
);

export function Figures({ status }: { status: CameraStatus }) {
  const { t, language } = useTexts();
  const way = useWay(status.id);
  const { p50, p99 } = status.latency_ms;
  const ms = (value: number) => number(value, language);
  const fps = number(status.fps_out, language, status.fps_out < 9.95 ? 1 : 0);
  const figures = [
    { name: t.figures.fps, value: t.figures.fpsShort(fps) },
    { name: t.figures.latency, value: t.figures.latencyShort(ms(p50), ms(p99), ms(status.budget_ms)) },
    { name: t.figures.viewers, icon: EYE, value: number(status.viewers, language) },
    // Only what is not as usual needs words on the wall.
    ...(way === "websocket" ? [{ name: t.way.name, value: t.way.websocket }] : []),
  ];
  return (
    <dl class="figures">
      {figures.map(({ name, icon, value }) => (
        <div key={name}>
          <dt class="unseen">{name}</dt>
          <dd>
            {icon}
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
