// The mask editor of one camera, for those who may.

import type { Session } from "../api/model";
import { mayEditMasks, mayFetchStills } from "../api/model";
import { useMasks } from "../editor/useMasks";
import { Workbench } from "../editor/Workbench";
import { WALL } from "../route";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

interface Props {
  id: string;
  session: Session;
  cameras: CameraView[];
  comebacks: number;
  expired: () => void;
}

export function MasksPage({ id, session, cameras, comebacks, expired }: Props) {
  const { t } = useTexts();
  const camera = cameras.find((camera) => camera.id === id);
  if (camera && mayEditMasks(session)) {
    const stills = mayFetchStills(session);
    return <Editor key={id} {...{ camera, stills, comebacks, expired }} user={session.user} />;
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
  user: string;
  stills: boolean;
  comebacks: number;
  expired: () => void;
}

function Editor({ camera, user, stills, comebacks, expired }: EditorProps) {
  const { t } = useTexts();
  const { loaded, reload } = useMasks(camera.id, expired);
  if (loaded.kind === "loaded") return <Workbench {...{ camera, user, stills, comebacks, expired }} masks={loaded.masks} />;
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
