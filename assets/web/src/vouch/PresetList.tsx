// The presets of a camera that cannot tell where it looks: who vouched for which.

import { useState } from "preact/hooks";
import { failureOf, type Failure } from "../api/client";
import type { VouchedPreset } from "../api/model";
import { withdraw } from "../api/vouch";
import { Dialog } from "../editor/Dialog";
import { Picture } from "../parts/Picture";
import { StateBadge } from "../parts/StateBadge";
import { cameraHref, masksHref } from "../route";
import { moment } from "../text/format";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Refused } from "./Refused";
import { restingOn, useVouched } from "./useVouched";

interface Props {
  camera: CameraView;
  comebacks: number;
  expired: () => void;
}

export function PresetList({ camera, comebacks, expired }: Props) {
  const { t } = useTexts();
  return (
    <div class="vouch-page">
      <div class="masks-title">
        <h1>
          {t.masks.link}: <a href={cameraHref(camera.id)}>{camera.id}</a>
        </h1>
        <StateBadge state={camera.state} />
      </div>
      <p class="vouch-intro">{t.vouch.intro}</p>
      <div class="vouch-body">
        <div class="vouch-picture">
          <Picture camera={camera} comebacks={comebacks} expired={expired} />
        </div>
        <PresetRows camera={camera} masks expired={expired} />
      </div>
    </div>
  );
}

interface RowsProps {
  camera: CameraView;
  /** Whether this user edits masks. */
  masks: boolean;
  expired: () => void;
}

/** Each preset, who vouched for it, and how to withdraw that. */
export function PresetRows({ camera, masks, expired }: RowsProps) {
  const { t } = useTexts();
  const { presets, failed, reload } = useVouched(camera, true, expired);
  const [leaving, setLeaving] = useState<VouchedPreset | null>(null);
  const resting = restingOn(camera);
  return (
    <div>
      {failed && (
        <p class="problem" role="alert">
          {t.vouch.unread}{" "}
          <button type="button" onClick={reload}>
            {t.masks.again}
          </button>
        </p>
      )}
      <ul class="vouch-list">
        {presets?.map((preset) => (
          <Row
            key={preset.id}
            {...{ preset, masks }}
            camera={camera.id}
            here={preset.id === resting}
            withdraw={() => setLeaving(preset)}
          />
        ))}
      </ul>
      {leaving && (
        <WithdrawDialog camera={camera.id} preset={leaving} close={() => setLeaving(null)} {...{ reload, expired }} />
      )}
    </div>
  );
}

interface RowProps {
  camera: string;
  preset: VouchedPreset;
  masks: boolean;
  here: boolean;
  withdraw: () => void;
}

function Row({ camera, preset, masks, here, withdraw }: RowProps) {
  const { t } = useTexts();
  const words = t.vouch;
  const name = preset.name ?? preset.id;
  return (
    <li>
      <h2>
        {name} {here && <span class="tag tag-here">{t.presets.here}</span>}
      </h2>
      <Words verified={preset.verified} />
      <div class="row">
        {masks && (
          <a href={masksHref(camera, preset.id)} aria-label={t.masks.linkOf(name)}>
            {t.masks.link}
          </a>
        )}
        {preset.verified.length > 0 && (
          <button type="button" aria-label={words.withdrawOf(name)} onClick={withdraw}>
            {words.withdraw}
          </button>
        )}
      </div>
    </li>
  );
}

/** Who vouched, when and why. */
export function Words({ verified }: { verified: VouchedPreset["verified"] }) {
  const { t, language } = useTexts();
  if (verified.length === 0) return <p class="vouch-nobody">{t.vouch.nobody}</p>;
  return (
    <ul class="vouch-words quiet-text">
      {verified.map(({ by, at, reason }) => (
        <li key={at}>{t.vouch.by(by, moment(at, language), reason)}</li>
      ))}
    </ul>
  );
}

interface WithdrawProps {
  camera: string;
  preset: VouchedPreset;
  close: () => void;
  reload: () => void;
  expired: () => void;
}

function WithdrawDialog({ camera, preset, close, reload, expired }: WithdrawProps) {
  const { t } = useTexts();
  const words = t.vouch;
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const name = preset.name ?? preset.id;
  const go = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await withdraw(camera, preset.id);
      reload();
      close();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "logged-out") return expired();
      setFailure(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog heading={words.withdrawOf(name)} close={close}>
      <p>{words.withdrawText}</p>
      <div role="alert">{failure && <Refused failure={failure} />}</div>
      <div class="row">
        <button type="button" class="primary" aria-disabled={busy} onClick={() => void go()}>
          {words.withdraw}
        </button>
        <button type="button" onClick={close}>
          {t.masks.save.cancel}
        </button>
      </div>
    </Dialog>
  );
}
