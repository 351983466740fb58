// The mask editor of one camera, for those who may; where masks belong to presets, of one preset.

import { useMemo } from "preact/hooks";
import type { Session } from "../api/model";
import { mayEditMasks, mayFetchStills } from "../api/model";
import { useMasks } from "../editor/useMasks";
import { Workbench } from "../editor/Workbench";
import { WALL } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { PresetList } from "../vouch/PresetList";

interface Props {
  id: string;
  preset: string | null;
  session: Session;
  cameras: CameraView[];
  comebacks: number;
  expired: () => void;
}

export function MasksPage({ id, preset, session, cameras, comebacks, expired }: Props) {
  const { t } = useTexts();
  const camera = cameras.find((camera) => camera.id === id);
  if (camera && mayEditMasks(session)) {
    const stills = mayFetchStills(session);
    // Only the status tells which kind of camera it is.
    if (!camera.status) return <p role="status">{t.masks.loading}</p>;
    if (preset === null && camera.status.presets.length > 0)
      return <PresetList key={id} {...{ camera, comebacks, expired }} />;
    const key = JSON.stringify([id, preset]);
    return <Editor key={key} {...{ camera, preset, stills, comebacks, expired }} user={session.user} />;
  }
  return (
    <div class="text">
      <h1>{t.masks.heading(id)}</h1>
      <p>{camera ? t.masks.noRole : t.camera.unknown(id)}</p>
      <a href={WALL}>{t.camera.back}</a>
    </div>
  );
}

interface EditorProps {
  camera: CameraView;
  preset: string | null;
  user: string;
  stills: boolean;
  comebacks: number;
  expired: () => void;
}

function Editor({ camera, preset, user, stills, comebacks, expired }: EditorProps) {
  const { t } = useTexts();
  const holder = useMemo(() => ({ camera: camera.id, preset }), [camera.id, preset]);
  const { loaded, reload } = useMasks(holder, expired);
  if (loaded.kind === "loaded")
    return <Workbench {...{ camera, holder, user, stills, comebacks, expired }} masks={loaded.masks} />;
  const problem = loaded.kind === "failed" && loaded.failure.kind === "refused" ? loaded.failure.problem : null;
  return (
    <div class="text">
      <h1>{t.masks.heading(camera.id)}</h1>
      {loaded.kind === "loading" ? (
        <p role="status">{t.masks.loading}</p>
      ) : (
        <>
          <p role="alert">
            {t.masks.loadFailed}{" "}
            {problem && <span lang="en">{[problem.error, problem.remedy].filter(Boolean).join(" ")}</span>}
          </p>
          <button type="button" onClick={reload}>
            {t.masks.again}
          </button>
        </>
      )}
    </div>
  );
}
