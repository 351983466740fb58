// Below the picture, for those who set up zones: the clear still, or who can permit one.

import type { Failure } from "../api/client";
import { duration, timeOfDay } from "../text/format";
import { useTexts } from "../text/language";
import type { Frozen, StillHandle } from "./useStill";

export function StillBar({ still }: { still: StillHandle }) {
  const { t, language } = useTexts();
  const words = t.still;
  const { permit, leftS, frozen, busy } = still;
  if (!permit?.offered) return null;
  if (leftS === 0) {
    const names = permit.givers.join(", ");
    return <p class="still-bar quiet-text">{names ? words.none(names) : words.nobody}</p>;
  }
  return (
    <div class="still-bar" role="group" aria-label={words.label}>
      <button type="button" aria-disabled={busy} onClick={() => !busy && still.fetch()}>
        {busy ? words.busy : frozen ? words.another : words.fetch}
      </button>
      {frozen && (
        <button type="button" onClick={still.back}>
          {words.back}
        </button>
      )}
      <p>
        <span role="status">{frozen && words.shown(timeOfDay(frozen.at, language))}</span>{" "}
        <span class="quiet-text">{words.left(permit.by ?? "", duration(leftS, language))}</span>
      </p>
      <p role="alert">{still.failure && <StillProblem failure={still.failure} />}</p>
    </div>
  );
}

/** What stands under the drawing instead of the live picture. */
export function StillPicture({ frozen, camera }: { frozen: Frozen; camera: string }) {
  const { t } = useTexts();
  return <img class="still-picture" src={frozen.url} alt={t.still.picture(camera)} draggable={false} />;
}

export function StillProblem({ failure }: { failure: Failure }) {
  const { t } = useTexts();
  if (failure.kind === "too-many-tries") return <>{t.still.tooSoon(String(failure.retryAfterS))}</>;
  if (failure.kind !== "refused") return <>{t.still.unreachable}</>;
  const said = failure.problem && [failure.problem.error, failure.problem.remedy].filter(Boolean).join(": ");
  return (
    <>
      {t.still.failed} {said && <span lang="en">{said}.</span>}
    </>
  );
}
