// All cameras at once, as large as the screen allows.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { digits, useKeys } from "../keys";
import { Cell } from "../parts/Cell";
import { GAP, layout, neighbour, type Space } from "../parts/layout";
import { cameraHref, go } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { lastCamera } from "./CameraPage";

interface Props {
  cameras: CameraView[];
  /** Whether masks may be edited. */
  masks: boolean;
  comebacks: number;
  expired: () => void;
}

/** Of the root's font size: two lines and their padding, as in `wall.css`. */
const CAPTION_REM = 2.75;

export function WallPage({ cameras, masks, comebacks, expired }: Props) {
  const { t } = useTexts();
  const box = useRef<HTMLDivElement>(null);
  const links = useRef<(HTMLAnchorElement | null)[]>([]);
  const { space, caption } = useSpace(box);
  const { columns, cell, picture } = layout(cameras.length, space, caption);

  // Whoever comes back from one camera stands on it again.
  useEffect(() => {
    const from = cameras.findIndex((camera) => camera.id === lastCamera());
    if (from >= 0) links.current[from]?.focus();
  }, []);

  const move = (event: KeyboardEvent) => {
    const from = links.current.findIndex((link) => link === document.activeElement);
    const to = from < 0 ? 0 : neighbour(from, event.key, cameras.length, columns);
    links.current[to]?.focus();
  };
  const open = (index: number) => {
    const camera = cameras[index];
    if (camera) go(cameraHref(camera.id));
  };
  useKeys({ ArrowRight: move, ArrowLeft: move, ArrowUp: move, ArrowDown: move, ...digits(cameras.length, open) });

  const size = {
    gap: `${GAP}px`,
    gridTemplateColumns: `repeat(${columns}, ${cell}px)`,
    "--picture": `${picture}px`,
  };
  return (
    <div class="wall-page" ref={box}>
      <h1 class="unseen">{t.wall.heading}</h1>
      {cameras.length === 0 && <p class="text">{t.wall.none}</p>}
      <ul class="wall" aria-label={t.wall.list} style={size}>
        {cameras.map((camera, index) => (
          <Cell
            key={camera.id}
            camera={camera}
            masks={masks}
            comebacks={comebacks}
            expired={expired}
            link={(element) => (links.current[index] = element)}
          />
        ))}
      </ul>
    </div>
  );
}

/** The room there is for the wall, and the height of a caption, in CSS pixels. */
function useSpace(box: { current: HTMLElement | null }): { space: Space; caption: number } {
  const [space, setSpace] = useState<Space>({ width: window.innerWidth, height: window.innerHeight });
  const measure = () => {
    const element = box.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const width = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const top = element.getBoundingClientRect().top + window.scrollY;
    const height = window.innerHeight - top - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    setSpace((before) => (before.width === width && before.height === height ? before : { width, height }));
  };
  // With every rendering, because a notice above moves the wall without resizing it.
  useLayoutEffect(measure);
  useEffect(() => {
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return { space, caption: CAPTION_REM * rem };
}
