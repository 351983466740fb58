// One camera on the wall. Its name is the link; the whole cell can be clicked.

import { cameraHref } from "../route";
import type { CameraView } from "../view";
import { Figures } from "./Figures";
import { Picture } from "./Picture";
import { StateBadge } from "./StateBadge";

interface Props {
  camera: CameraView;
  comebacks: number;
  expired: () => void;
  link: (element: HTMLAnchorElement | null) => void;
}

export function Cell({ camera, comebacks, expired, link }: Props) {
  return (
    <li class={`cell cell-${camera.state}`}>
      <Picture camera={camera} comebacks={comebacks} expired={expired} />
      <div class="caption">
        <h2>
          <a ref={link} href={cameraHref(camera.id)}>
            {camera.id}
          </a>
        </h2>
        <StateBadge state={camera.state} />
        {camera.status && camera.state !== "unknown" && <Figures status={camera.status} />}
      </div>
    </li>
  );
}
