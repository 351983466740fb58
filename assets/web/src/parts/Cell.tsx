// One camera on the wall. Its name is the link; the whole cell can be clicked.

import { cameraHref, masksHref } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Figures } from "./Figures";
import { Picture } from "./Picture";
import { StateBadge } from "./StateBadge";

interface Props {
  camera: CameraView;
  /** Whether masks may be edited. */
  masks: boolean;
  comebacks: number;
  expired: () => void;
  link: (element: HTMLAnchorElement | null) => void;
}

export function Cell({ camera, masks, comebacks, expired, link }: Props) {
  const { t } = useTexts();
  return (
    <li class={`cell cell-${camera.state}`}>
      <Picture camera={camera} comebacks={comebacks} expired={expired} />
      <div class="caption">
        <h2>
          <a ref={link} href={cameraHref(camera.id)}>
            {camera.id}
          </a>
        </h2>
        {masks && (
          <a class="cell-masks" href={masksHref(camera.id)} aria-label={t.masks.linkOf(camera.id)}>
            {t.masks.link}
          </a>
        )}
        <StateBadge state={camera.state} />
        {camera.status && camera.state !== "unknown" && <Figures status={camera.status} />}
      </div>
    </li>
  );
}
