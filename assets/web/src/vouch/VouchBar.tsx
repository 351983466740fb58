// Below a preset's picture: whether somebody vouched for its masks, and the word of who does now.

import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import { vouch } from "../api/vouch";
import type { Frozen } from "../editor/useStill";
import type { Version } from "../masks/versions";
import { masksHref } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Words } from "./PresetList";
import { Refused } from "./Refused";
import { nameOf, restingOn, useVouched } from "./useVouched";

/** Characters, as the gateway counts them. */
const LONGEST_REASON = 1000;

interface Props {
  camera: CameraView;
  preset: string;
  /** The version in force. */
  version: Version;
  /** What is drawn is not what is in force. */
  dirty: boolean;
  /** The clear still that one looks at. */
  frozen: Frozen | null;
  expired: () => void;
}

export function VouchBar({ camera, preset, version, dirty, frozen, expired }: Props) {
  const { t } = useTexts();
  const words = t.vouch;
  const { presets, reload } = useVouched(camera, true, expired);
  const verified = presets?.find(({ id }) => id === preset)?.verified;
  const resting = restingOn(camera);
  const still = frozen?.looking.view?.kind === "presets" ? frozen.looking.view.still : null;
  return (
    <section class="vouch-bar" aria-label={words.label}>
      <p>
        <a href={masksHref(camera.id)}>{words.all}</a>
        {resting !== null && resting !== preset && (
          <span class="warning"> {words.elsewhere(nameOf(presets, resting))}</span>
        )}
      </p>
      {verified && <Words verified={verified} />}
      {dirty ? (
        <p class="quiet-text">{words.saveFirst}</p>
      ) : still === null ? (
        <p class="quiet-text">{words.fetchFirst}</p>
      ) : (
        <VouchForm key={still} {...{ camera, preset, still, reload, expired }} sha256={version.sha256} />
      )}
    </section>
  );
}

interface FormProps {
  camera: CameraView;
  preset: string;
  sha256: string;
  still: string;
  reload: () => void;
  expired: () => void;
}

function VouchForm({ camera, preset, sha256, still, reload, expired }: FormProps) {
  const { t } = useTexts();
  const words = t.vouch;
  const reason = useRef<HTMLInputElement>(null);
  const [missing, setMissing] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [step, setStep] = useState<"asking" | "busy" | "done">("asking");
  const gone = useRef(false);
  useEffect(
    () => () => {
      gone.current = true;
    },
    [],
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    const why = reason.current?.value.trim() ?? "";
    setMissing(why === "");
    if (why === "") return reason.current?.focus();
    if (step === "busy") return;
    setStep("busy");
    setFailure(null);
    try {
      await vouch(camera.id, preset, { sha256, still, reason: why });
      if (!gone.current) setStep("done");
    } catch (error) {
      if (gone.current) return;
      const failure = failureOf(error);
      if (failure.kind === "logged-out") return expired();
      setFailure(failure);
      setStep("asking");
    }
    reload();
  };
  if (step === "done") return <p role="status">{words.done}</p>;
  return (
    <form class="still-form" onSubmit={submit} noValidate>
      <label class="still-reason">
        {words.reason}
        <input ref={reason} maxLength={LONGEST_REASON} placeholder={words.example} required />
      </label>
      <button type="submit" class="primary" aria-disabled={step === "busy"}>
        {words.submit}
      </button>
      <p role="status">{step === "busy" && words.busy}</p>
      <div role="alert">
        {missing && <p class="problem">{t.masks.save.reasonMissing}</p>}
        {failure && <Refused failure={failure} />}
      </div>
    </form>
  );
}
