// The state of all cameras as a table.

import type { CameraStatus } from "../api/model";
import { codeName, duration, number } from "../text/format";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Reason } from "./Reason";
import { StateBadge } from "./StateBadge";

export function StateTable({ cameras, labelledBy }: { cameras: CameraView[]; labelledBy: string }) {
  const { t } = useTexts();
  const c = t.table;
  const words = [c.camera, c.state, c.reason];
  const figures = [c.fpsIn, c.fpsOut, c.latency, c.budget, c.covered, c.dropped, c.looks, c.viewers, c.alarms];
  return (
    <div class="scroll" role="region" aria-label={c.scroll} tabIndex={0}>
      <table class="states" aria-labelledby={labelledBy}>
        <thead>
          <tr>
            {words.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {figures.map((name) => (
              <th key={name} scope="col" class="figure">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cameras.map((camera) => (
            <tr key={camera.id}>
              <th scope="row">{camera.id}</th>
              <td>
                <StateBadge state={camera.state} />
              </td>
              <td class="reason-cell">{camera.reason ? <Reason reason={camera.reason} /> : "–"}</td>
              {camera.status ? (
                <FigureCells status={camera.status} />
              ) : (
                <td colSpan={figures.length}>{c.waiting}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FigureCells({ status }: { status: CameraStatus }) {
  const { t, language } = useTexts();
  const n = (value: number, digits = 0) => number(value, language, digits);
  const { detector, latency_ms: latency } = status;
  return (
    <>
      <td class="figure">{n(status.fps_in, 1)}</td>
      <td class="figure">{n(status.fps_out, 1)}</td>
      <td class="figure">
        {n(latency.p50)} / {n(latency.p99)}
      </td>
      <td class="figure">{n(status.budget_ms)}</td>
      <td class="figure">
        <ByReason counts={status.covered_s} show={(seconds) => duration(seconds, language)} />
      </td>
      <td class="figure">
        <ByReason counts={status.dropped} show={(frames) => n(frames)} />
      </td>
      <td class="figure">
        {detector ? n(detector.looks_hz, 1) : t.table.noDetector}
        {detector && detector.tiles_overdue > 0 && (
          <div class="warn">{t.table.overdue(detector.tiles_overdue, detector.tiles)}</div>
        )}
      </td>
      <td class="figure">{n(status.viewers)}</td>
      <td class="figure">
        <Alarms status={status} />
      </td>
    </>
  );
}

/** Largest first: what matters most is read first. */
function ByReason({ counts, show }: { counts: Record<string, number>; show: (count: number) => string }) {
  const { t } = useTexts();
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length === 0) return <>{t.table.none}</>;
  some.sort(([, a], [, b]) => b - a);
  return (
    <ul class="by-reason">
      {some.map(([code, count]) => (
        <li key={code}>
          {codeName(code, t)}: {show(count)}
        </li>
      ))}
    </ul>
  );
}

/** What must never happen: frames after their budget, painted frames that were not hidden. */
export function Alarms({ status }: { status: CameraStatus }) {
  const { t, language } = useTexts();
  const { late_frames: late, read_back_failures: failed } = status;
  if (late === 0 && failed === 0) return <>{t.table.none}</>;
  return (
    <div class="alarm">
      {late > 0 && <div>{t.table.late(number(late, language))}</div>}
      {failed > 0 && <div>{t.table.readBack(number(failed, language))}</div>}
    </div>
  );
}
