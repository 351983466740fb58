// A camera's live picture, and in plain words what is wrong with it.

import { useRef } from "preact/hooks";
import { useLive, type Live } from "../live/useLive";
import { duration } from "../text/format";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Reason } from "./Reason";

interface Props {
  camera: CameraView;
  comebacks: number;
  expired: () => void;
}

export function Picture({ camera, comebacks, expired }: Props) {
  const { t } = useTexts();
  const video = useRef<HTMLVideoElement>(null);
  const live = useLive(camera.id, video, comebacks, expired);
  const frozen = live.picture && live.frozenS !== null;
  return (
    <div class={frozen ? "picture picture-frozen" : "picture"}>
      <video
        ref={video}
        data-camera={camera.id}
        muted
        autoplay
        playsInline
        disablePictureInPicture
        aria-label={t.camera.video(camera.id)}
      />
      <Trouble live={live} />
      {camera.reason && (
        <p class="why">
          {t.state[camera.state]}: <Reason reason={camera.reason} />
        </p>
      )}
    </div>
  );
}

function Trouble({ live }: { live: Live }) {
  const { t, language } = useTexts();
  const { phase } = live;
  if (phase.kind === "connected" && live.picture) {
    if (live.frozenS === null) return null;
    return <p class="trouble trouble-frozen">{t.live.frozen(duration(live.frozenS, language))}</p>;
  }
  if (phase.kind === "idle" || phase.kind === "connecting") return <p class="trouble">{t.live.connecting}</p>;
  if (phase.kind === "connected") return <p class="trouble">{t.live.waitingForPicture}</p>;
  return (
    <div class="trouble">
      <p>{t.live.cause[phase.cause]}</p>
      {phase.kind === "waiting" ? (
        <p class="quiet-text">{t.live.retry(duration(live.retryInS, language))}</p>
      ) : (
        <button type="button" onClick={live.again}>
          {t.live.again}
        </button>
      )}
    </div>
  );
}
