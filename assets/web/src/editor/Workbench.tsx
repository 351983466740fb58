// The mask editor once the masks are there: picture, panorama, versions, and saving.

import { useRef, useState } from "preact/hooks";
import type { Pixel } from "../geometry/types";
import type { Masks } from "../masks/versions";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { Head, type Tab } from "./Head";
import { LeaveDialog } from "./LeaveDialog";
import { DraftNotice, Problem, SavedNotice } from "./Notices";
import { Panorama } from "./Panorama";
import { AskDialog, ConflictDialog } from "./SaveDialogs";
import { Stage } from "./Stage";
import { StillBar } from "./StillBar";
import { Toolbar } from "./Toolbar";
import { useEditorKeys } from "./useEditorKeys";
import { useLeaving } from "./useLeaving";
import { useStill } from "./useStill";
import { useView } from "./useView";
import { useWork } from "./useWork";
import { Versions } from "./Versions";
import { ZoneList } from "./ZoneList";

interface Props {
  camera: CameraView;
  user: string;
  /** Whether this user may fetch clear stills. */
  stills: boolean;
  masks: Masks;
  comebacks: number;
  expired: () => void;
}

export function Workbench({ camera, user, stills, masks, comebacks, expired }: Props) {
  const { t } = useTexts();
  const live = useView(camera.id, expired);
  const still = useStill(camera.id, stills, expired);
  const looking = still.frozen?.looking ?? live;
  const work = useWork({ camera: camera.id, user, masks, expired });
  const { editing, dispatch, dirty, saving, ask } = work;
  const [tab, setTab] = useState<Tab>("picture");
  const [cursor, setCursor] = useState<Pixel | null>(null);
  const drawingArea = useRef<SVGSVGElement>(null);
  const leaving = useLeaving(dirty);
  const { chart, doubt, view } = looking;
  const may = chart !== null && (doubt === "none" || doubt === "moving");

  const draw = () => {
    if (!chart || !may) return;
    setTab("picture");
    setCursor({ u: chart.width / 2, v: chart.height / 2 });
    dispatch({ do: "draw", type: chart.fresh });
    // Once the drawing area is there, keys set corners on it.
    window.requestAnimationFrame(() => drawingArea.current?.focus({ preventScroll: true }));
  };
  const save = () => {
    if (dirty && !editing.drawing) ask({ do: "ask", work: { kind: "save", document: editing.document } });
  };
  useEditorKeys({ chart, may, editing, dispatch, draw, save, cursor, setCursor });

  const hint = editing.drawing ? "draw" : editing.zone !== null ? "selected" : "idle";
  return (
    <div class="masks-page">
      <Head
        camera={camera}
        version={work.base.version}
        dirty={dirty}
        tab={tab}
        setTab={setTab}
        panorama={view?.kind !== "fixed"}
      >
        {tab !== "versions" && (
          <Toolbar editing={editing} dispatch={dispatch} draw={may ? draw : null} dirty={dirty} save={save} />
        )}
      </Head>
      <p class="unseen" role="status">
        {work.said}
      </p>
      {dirty && !work.kept && <Problem>{t.masks.unsavedCannotKeep}</Problem>}
      {work.unread && <Problem>{t.masks.loadFailed}</Problem>}
      <SavedNotice state={saving} close={() => ask({ do: "close" })} />
      {work.draft && (
        <DraftNotice
          draft={work.draft.draft}
          open={work.draft.opened ? null : work.openDraft}
          discard={work.discardDraft}
        />
      )}
      {tab === "versions" ? (
        <Versions
          camera={camera.id}
          user={user}
          restore={(number) => ask({ do: "ask", work: { kind: "restore", number } })}
          round={work.round}
          changed={work.loadCurrent}
          expired={expired}
        />
      ) : (
        <div class="masks-body">
          {tab === "picture" ? (
            <div class="masks-main">
              <Stage
                {...{ camera, comebacks, expired, looking, may, editing, dispatch, cursor, setCursor, drawingArea }}
                still={still.frozen}
              />
              <StillBar still={still} />
              <p class="quiet-text hint">
                {t.masks.hint[hint]} {editing.drawing && t.masks.hint.drawKeys}
              </p>
            </div>
          ) : (
            <Panorama zones={editing.document.zones} selected={editing.zone} looking={looking} choose={work.choose} />
          )}
          <ZoneList
            editing={editing}
            dispatch={dispatch}
            chart={chart}
            mistakes={saving.step === "closed" ? saving.mistakes : []}
          />
        </div>
      )}
      {(saving.step === "asking" || saving.step === "sending") && (
        <AskDialog
          state={saving}
          base={work.base.document}
          document={editing.document}
          fourEyes={work.base.four_eyes}
          dispatch={ask}
          explain={work.explain}
        />
      )}
      {saving.step === "conflict" && (
        <ConflictDialog camera={camera.id} state={saving} dispatch={ask} loadTheirs={work.loadTheirs} />
      )}
      {leaving.to !== null && <LeaveDialog kept={work.kept} stay={leaving.stay} leave={leaving.leave} />}
    </div>
  );
}
