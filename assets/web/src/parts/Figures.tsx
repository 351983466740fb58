// Rate, latency and viewers of a camera in one line.

import type { CameraStatus } from "../api/model";
import { number } from "../text/format";
import { useTexts } from "../text/language";

export function Figures({ status }: { status: CameraStatus }) {
  const { t, language } = useTexts();
  const { p50, p99 } = status.latency_ms;
  const ms = (value: number) => number(value, language);
  const figures = [
    { name: t.figures.fps, value: t.figures.fpsShort(number(status.fps_out, language, 1)) },
    { name: t.figures.latency, value: t.figures.latencyShort(ms(p50), ms(p99), status.budget_ms) },
    { name: t.figures.viewers, value: t.figures.viewersShort(status.viewers) },
  ];
  return (
    <dl class="figures">
      {figures.map(({ name, value }) => (
        <div key={name} title={name}>
          <dt class="unseen">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
