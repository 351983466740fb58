// One camera large, with its figures.

import { useEffect, useRef } from "preact/hooks";
import { digits, useKeys } from "../keys";
import { CameraFigures } from "../parts/CameraFigures";
import { Picture } from "../parts/Picture";
import { StateBadge } from "../parts/StateBadge";
import { cameraHref, go, masksHref, parseRoute, WALL } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

interface Props {
  id: string;
  cameras: CameraView[];
  /** Whether masks may be edited. */
  masks: boolean;
  comebacks: number;
  expired: () => void;
}

let last: string | null = null;

/** The camera that was shown large last; for the wall, to which one comes back. */
export function lastCamera(): string | null {
  return last;
}

export function CameraPage({ id, cameras, masks, comebacks, expired }: Props) {
  const { t } = useTexts();
  const stage = useRef<HTMLElement>(null);
  const camera = cameras.find((camera) => camera.id === id);

  useEffect(() => {
    last = id;
  }, [id]);

  const show = (wanted: number) => {
    const other = cameras[(wanted + cameras.length) % cameras.length];
    if (other) go(cameraHref(other.id));
  };
  const fullScreen = () => {
    // A browser that cannot or may not simply stays as it is.
    if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
    else stage.current?.requestFullscreen?.().catch(() => undefined);
  };
  // From where the address is, not the page: keys can be faster than it.
  const step = (by: number) => {
    const here = parseRoute(window.location.hash);
    const at = cameras.findIndex((other) => here.page === "camera" && other.id === here.id);
    if (at >= 0) show(at + by);
  };
  const [before, after] = [() => step(-1), () => step(1)];
  useKeys({
    ArrowLeft: before,
    ArrowUp: before,
    ArrowRight: after,
    ArrowDown: after,
    f: fullScreen,
    Escape: () => (document.fullscreenElement ? fullScreen() : go(WALL)),
    ...digits(cameras.length, show),
  });

  if (!camera) {
    return (
      <div class="text">
        <h1>{id}</h1>
        <p>{t.camera.unknown(id)}</p>
        <a href={WALL}>{t.camera.back}</a>
      </div>
    );
  }
  return (
    <div class="camera-page">
      <section class="stage" ref={stage} aria-labelledby="camera-heading">
        <div class="camera-head">
          <h1 id="camera-heading">{camera.id}</h1>
          <StateBadge state={camera.state} />
        </div>
        {/* A new camera is a new picture: nothing of the last one stays on the screen. */}
        <Picture key={camera.id} camera={camera} comebacks={comebacks} expired={expired} />
      </section>
      <aside class="side" aria-label={t.camera.figures}>
        <div class="steps">
          <a href={WALL}>{t.camera.back}</a>
          <button type="button" onClick={before} aria-label={t.camera.previous} title={t.camera.previous}>
            ←
          </button>
          <button type="button" onClick={after} aria-label={t.camera.next} title={t.camera.next}>
            →
          </button>
          <button type="button" onClick={fullScreen}>
            {t.camera.fullScreen}
          </button>
        </div>
        {masks && (
          <a href={masksHref(camera.id)} aria-label={t.masks.linkOf(camera.id)}>
            {t.masks.link}
          </a>
        )}
        <p class="quiet-text">{t.stateMeaning[camera.state]}</p>
        {camera.status && <CameraFigures status={camera.status} />}
      </aside>
    </div>
  );
}
