// For officers and administrators: permitting clear stills, camera by camera.

import { useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import { mayPermitStills, type Session } from "../api/model";
import { givePermit, withdrawPermit } from "../api/still";
import { usePermit } from "../api/usePermit";
import { StillProblem } from "../editor/StillBar";
import { WALL } from "../route";
import { duration } from "../text/format";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

interface Props {
  session: Session;
  cameras: CameraView[];
  expired: () => void;
}

export function StillsPage({ session, cameras, expired }: Props) {
  const { t } = useTexts();
  const words = t.still.page;
  const may = mayPermitStills(session);
  return (
    <div class="text">
      <h1>{words.heading}</h1>
      {may ? (
        <>
          <p>{words.intro}</p>
          {cameras.length === 0 && <p>{t.wall.none}</p>}
          {cameras.map(({ id }) => (
            <OneCamera key={id} camera={id} expired={expired} />
          ))}
        </>
      ) : (
        <>
          <p>{words.noRole}</p>
          <a href={WALL}>{t.notFound.link}</a>
        </>
      )}
    </div>
  );
}

const USUAL_MINUTES = 15;
const MOST_MINUTES = 60;

function OneCamera({ camera, expired }: { camera: string; expired: () => void }) {
  const { t, language } = useTexts();
  const words = t.still.page;
  const { permit, leftS, take, reload } = usePermit(camera, true, expired);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const minutes = useRef<HTMLInputElement>(null);
  const reason = useRef<HTMLInputElement>(null);

  const attempt = async (work: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "logged-out") return expired();
      setFailure(failure);
    } finally {
      setBusy(false);
    }
  };
  const give = (event: Event) => {
    event.preventDefault();
    const [m, why] = [Number(minutes.current?.value), reason.current?.value.trim() ?? ""];
    const unfit = !(Number.isInteger(m) && m >= 1 && m <= MOST_MINUTES);
    setMissing(unfit || why === "");
    if (unfit) return minutes.current?.focus();
    if (why === "") return reason.current?.focus();
    void attempt(async () => take(await givePermit(camera, m, why)));
  };
  const withdraw = () =>
    void attempt(async () => {
      await withdrawPermit(camera);
      reload();
    });

  const heading = `still-${camera}`;
  return (
    <section class="still-permit" aria-labelledby={heading}>
      <h2 id={heading}>{camera}</h2>
      {permit && !permit.offered && <p>{words.notOffered}</p>}
      {permit?.offered && leftS > 0 && (
        <div class="still-bar">
          <p>
            <span role="status">{words.given(permit.by ?? "", permit.reason ?? "")}</span>{" "}
            <span class="quiet-text">{words.left(duration(leftS, language))}</span>
          </p>
          <button type="button" aria-disabled={busy} onClick={withdraw}>
            {words.withdraw}
          </button>
        </div>
      )}
      {permit?.offered && leftS === 0 && (
        <form class="still-form" onSubmit={give} noValidate>
          <label>
            {words.minutes}
            <input ref={minutes} type="number" min={1} max={MOST_MINUTES} defaultValue={String(USUAL_MINUTES)} required />
          </label>
          <label class="still-reason">
            {words.reason}
            <input ref={reason} maxLength={1000} required />
          </label>
          <button type="submit" aria-disabled={busy}>
            {words.give}
          </button>
        </form>
      )}
      <p role="alert">
        {missing && leftS === 0 && words.missing}
        {failure && <StillProblem failure={failure} />}
      </p>
    </section>
  );
}
