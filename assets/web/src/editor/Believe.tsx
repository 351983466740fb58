// Where picture and position disagree: what to do, and the word of somebody who looked.

import { useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import { believePosition } from "../api/position";
import { useTexts } from "../text/language";
import { Dialog } from "./Dialog";

/** Characters, as the gateway counts them. */
const LONGEST_REASON = 1000;

interface Props {
  camera: string;
  expired: () => void;
}

export function BelieveNotice({ camera, expired }: Props) {
  const { t } = useTexts();
  const words = t.masks.believe;
  const [asking, setAsking] = useState(false);
  return (
    <div class="told told-problem" role="status">
      <p>{words.covered}</p>
      <button type="button" onClick={() => setAsking(true)}>
        {words.open}
      </button>
      {asking && <BelieveDialog {...{ camera, expired }} close={() => setAsking(false)} />}
    </div>
  );
}

function BelieveDialog({ camera, expired, close }: Props & { close: () => void }) {
  const { t } = useTexts();
  const words = t.masks.believe;
  const reason = useRef<HTMLTextAreaElement>(null);
  const [missing, setMissing] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    const why = reason.current?.value.trim() ?? "";
    setMissing(why === "");
    if (why === "") return reason.current?.focus();
    if (busy) return;
    setBusy(true);
    try {
      await believePosition(camera, why);
      close();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "logged-out") return expired();
      setFailure(failure);
      setBusy(false);
    }
  };
  const said = failure?.kind === "refused" ? failure.problem : null;
  return (
    <Dialog heading={words.heading} close={close}>
      <form onSubmit={submit} noValidate>
        <p>{words.text}</p>
        <div role="alert">
          {missing && <p class="problem">{t.masks.save.reasonMissing}</p>}
          {failure && (
            <p class="problem">
              {words.failed} {said && <span lang="en">{[said.error, said.remedy].filter(Boolean).join(" ")}</span>}
            </p>
          )}
        </div>
        <label for="believe-reason">{words.reason}</label>
        <textarea ref={reason} id="believe-reason" rows={3} maxLength={LONGEST_REASON} required />
        <div class="row">
          <button type="submit" class="primary" aria-disabled={busy}>
            {words.submit}
          </button>
          <button type="button" onClick={close}>
            {t.masks.save.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
