// A camera's figures with their names, beside its large picture.

import type { CameraStatus } from "../api/model";
import { useWay } from "../live/useWay";
import { number } from "../text/format";
import { useTexts } from "../text/language";
import { Alarms } from "./StateTable";

export function CameraFigures({ status }: { status: CameraStatus }) {
  const { t, language } = useTexts();
  const n = (value: number, digits = 0) => number(value, language, digits);
  const way = useWay(status.id);
  const { latency_ms: latency, detector } = status;
  return (
    <dl class="camera-figures">
      <dt>{t.table.fpsIn}</dt>
      <dd>{n(status.fps_in, 1)}</dd>
      <dt>{t.table.fpsOut}</dt>
      <dd>{n(status.fps_out, 1)}</dd>
      <dt>{t.table.latency}</dt>
      <dd>
        {n(latency.p50)} / {n(latency.p99)}
      </dd>
      <dt>{t.table.budget}</dt>
      <dd>{n(status.budget_ms)}</dd>
      <dt>{t.table.looks}</dt>
      <dd>{detector ? n(detector.looks_hz, 1) : t.table.noDetector}</dd>
      <dt>{t.table.viewers}</dt>
      <dd>{n(status.viewers)}</dd>
      {way && (
        <>
          <dt>{t.way.name}</dt>
          <dd>{t.way[way]}</dd>
        </>
      )}
      <dt>{t.table.alarms}</dt>
      <dd>
        <Alarms status={status} />
      </dd>
    </dl>
  );
}
