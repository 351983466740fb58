// The mask editor once the masks are there: picture, panorama, versions, and saving.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Holder } from "../api/masks";
import type { Pixel } from "../geometry/types";
import type { Preset } from "../masks/document";
import { standingOn } from "../masks/places";
import { trimmed as trimmedAt } from "../masks/trimmed";
import type { Masks } from "../masks/versions";
import { MotionCheck } from "../motion/MotionCheck";
import { SteeringPanel } from "../steering/SteeringPanel";
import { useSteering, type Steering } from "../steering/useSteering";
import { useSteeringKeys } from "../steering/useSteeringKeys";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";
import { VouchBar } from "../vouch/VouchBar";
import { BelieveNotice } from "./Believe";
import { BeforeAfter, grab, type Moment } from "./BeforeAfter";
import { Head, type Tab } from "./Head";
import { LeaveDialog } from "./LeaveDialog";
import { DraftNotice, Problem, SavedNotice } from "./Notices";
import { Panorama } from "./Panorama";
import { Presets } from "./Presets";
import { AskDialog, ConflictDialog } from "./SaveDialogs";
import { SideLists, type List } from "./SideLists";
import { Stage } from "./Stage";
import { StillBar } from "./StillBar";
import { Toolbar } from "./Toolbar";
import { useEditorKeys } from "./useEditorKeys";
import { useLeaving } from "./useLeaving";
import { useOwnPresets } from "./useOwnPresets";
import { useSeen } from "./useSeen";
import { useToolKeys, type Tool } from "./useTools";
import { useStill } from "./useStill";
import { useView } from "./useView";
import { useWork } from "./useWork";
import { Versions } from "./Versions";
import { ZoneList } from "./ZoneList";

interface Props {
  camera: CameraView;
  holder: Holder;
  user: string;
  /** Whether this user may fetch clear stills. */
  stills: boolean;
  masks: Masks;
  comebacks: number;
  expired: () => void;
}

export function Workbench({ camera, holder, user, stills, masks, comebacks, expired }: Props) {
  const { t } = useTexts();
  const live = useView(camera.id, expired);
  const still = useStill(camera.id, stills, expired);
  const work = useWork({ holder, user, masks, expired });
  const { editing, dispatch, dirty, saving, ask } = work;
  const [tab, setTab] = useState<Tab>("picture");
  const looking = (tab === "picture" && still.frozen?.looking) || live;
  const [cursor, setCursor] = useState<Pixel | null>(null);
  const drawingArea = useRef<SVGSVGElement>(null);
  const leaving = useLeaving(dirty);
  const { chart, doubt, view } = looking;
  const may = chart !== null && (doubt === "none" || doubt === "moving");
  // What is drawn on may be a still; where the camera looks now is another question.
  const turning = live.view?.kind === "turning" ? live.view : null;
  const now = turning && (live.doubt === "none" || live.doubt === "moving") ? turning : null;
  const known = may && view?.kind === "turning" ? view : null;
  const { presets } = editing.document;
  const trimmed = useMemo(() => (view && chart ? trimmedAt(view, chart, presets) : null), [view, chart, presets]);
  const here = useMemo(() => (known ? standingOn(presets ?? [], known) : null), [known, presets]);
  const seen = useSeen(live);
  const { steering: hands, refusal } = useSteering(camera.id, turning !== null, expired);
  const steering = useMemo(() => hands && livePicture(hands, still.back), [hands, still.back]);
  const own = useOwnPresets(camera.id, steering?.reach.presets ?? false, expired);
  const [list, setList] = useState<List>("zones");
  const [chosen, setTool] = useState<Tool>("zones");
  const [moment, setMoment] = useState<Moment | null>(null);
  // A tool without what it needs is put down.
  const usable = { zones: true, go: steering !== null && may, trim: here !== null };
  const tool = tab === "picture" && !editing.drawing && usable[chosen] ? chosen : "zones";
  useEffect(() => {
    if (chosen !== "zones" && (!usable[chosen] || editing.drawing)) setTool("zones");
  }, [chosen, usable[chosen], editing.drawing]);

  const take = (wanted: Tool) => {
    setTool(wanted);
    if (wanted === "zones") return;
    setTab("picture");
    dispatch({ do: "draw-cancel" });
    if (chart && wanted === "go") setCursor({ u: chart.width / 2, v: chart.height / 2 });
    window.requestAnimationFrame(() => drawingArea.current?.focus({ preventScroll: true }));
  };
  const compare = (preset: Preset) => {
    // The picture that is grabbed is the one of now, also while a still lies over it.
    if (!turning) return;
    const video = drawingArea.current?.closest(".masks-stage")?.querySelector("video");
    setMoment({ preset, view: turning, picture: grab(video) });
  };
  const draw = () => {
    if (!chart || !may) return;
    setTool("zones");
    setTab("picture");
    setCursor({ u: chart.width / 2, v: chart.height / 2 });
    dispatch({ do: "draw", type: chart.fresh });
    // Once the drawing area is there, keys set corners on it.
    window.requestAnimationFrame(() => drawingArea.current?.focus({ preventScroll: true }));
  };
  const save = () => {
    if (dirty && !editing.drawing) ask({ do: "ask", work: { kind: "save", document: editing.document } });
  };
  const tools = {
    tool,
    leave: () => setTool("zones"),
    chart,
    view: known,
    preset: here,
    editing,
    dispatch,
    send: steering?.send ?? null,
    cursor,
    setCursor,
  };
  useSteeringKeys(steering, tab === "picture" || tab === "panorama");
  useToolKeys({ ...tools, scale: 1 });
  // Keys move a zone where it is seen: with its trim.
  const edited = (editing.zone !== null && trimmed?.of(editing.zone).hidden[0]) || chart;
  useEditorKeys({ chart: edited, may, editing, dispatch, draw, save, cursor, setCursor });

  const hint = editing.drawing ? "draw" : editing.zone !== null ? "selected" : "idle";
  const hints = { zones: t.masks.hint[hint], go: t.steering.pointHint, trim: t.presets.trim.hint };
  const turns: Tab[] = steering ? ["panorama", "motion"] : ["panorama"];
  const tabs: Tab[] = ["picture", ...(view && view.kind !== "turning" ? [] : turns), "versions"];
  return (
    <div class="masks-page">
      <Head camera={camera} preset={holder.preset} version={work.base.version} dirty={dirty} tab={tab} setTab={setTab} tabs={tabs}>
        {(tab === "picture" || tab === "panorama") && (
          <Toolbar editing={editing} dispatch={dispatch} draw={may ? draw : null} dirty={dirty} save={save} />
        )}
      </Head>
      <p class="unseen" role="status">
        {work.said}
      </p>
      {dirty && !work.kept && <Problem>{t.masks.unsavedCannotKeep}</Problem>}
      {work.unread && <Problem>{t.masks.loadFailed}</Problem>}
      {live.view?.reason?.code === "picture-disagrees" && <BelieveNotice {...{ camera: camera.id, expired }} />}
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
          holder={holder}
          user={user}
          restore={(number) => ask({ do: "ask", work: { kind: "restore", number } })}
          round={work.round}
          changed={work.loadCurrent}
          expired={expired}
        />
      ) : tab === "motion" && steering ? (
        <MotionCheck {...{ camera, comebacks, expired, looking, steering, trimmed }} zones={editing.document.zones} />
      ) : (
        <div class="masks-body">
          {tab === "picture" ? (
            <div class="masks-main">
              <Stage
                {...{ camera, comebacks, expired, looking, may, editing, dispatch, cursor, setCursor, drawingArea }}
                {...{ trimmed, tools }}
                still={still.frozen}
              />
              <StillBar still={still} />
              {holder.preset !== null && (
                <VouchBar
                  {...{ camera, dirty, expired }}
                  preset={holder.preset}
                  version={work.base.version}
                  frozen={still.frozen}
                />
              )}
              <p class="quiet-text hint">
                {hints[tool]} {editing.drawing && t.masks.hint.drawKeys}
              </p>
            </div>
          ) : (
            <Panorama
              zones={editing.document.zones}
              selected={editing.zone}
              looking={live}
              choose={work.choose}
              seen={seen}
              reach={steering?.reach ?? null}
            />
          )}
          <div class="masks-side">
            {steering && (
              <SteeringPanel
                steering={steering}
                user={user}
                point={{ on: tool === "go", toggle: () => take(tool === "go" ? "zones" : "go"), may }}
              />
            )}
            {turning && !steering && refusal && (
              <p class="quiet-text small">
                {t.steering.cannot} <span lang="en">{[refusal.error, refusal.remedy].filter(Boolean).join(". ")}</span>
              </p>
            )}
            <SideLists list={list} setList={setList} presets={turning !== null}>
              {list === "presets" && turning ? (
                <Presets
                  {...{ editing, dispatch, here, own, steering, tool, compare }}
                  view={now}
                  between={trimmed?.between ?? false}
                  setTool={take}
                />
              ) : (
                <ZoneList
                  editing={editing}
                  dispatch={dispatch}
                  chart={chart}
                  mistakes={saving.step === "closed" ? saving.mistakes : []}
                />
              )}
            </SideLists>
          </div>
        </div>
      )}
      {moment && (
        <BeforeAfter
          moment={moment}
          version={work.base.version.number}
          before={work.base.document}
          after={editing.document}
          selected={editing.zone}
          close={() => setMoment(null)}
        />
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
        <ConflictDialog holder={holder} state={saving} dispatch={ask} loadTheirs={work.loadTheirs} />
      )}
      {leaving.to !== null && <LeaveDialog kept={work.kept} stay={leaving.stay} leave={leaving.leave} />}
    </div>
  );
}

/** Whoever steers looks at what comes now: a still is put away. */
function livePicture(steering: Steering, back: () => void): Steering {
  return {
    ...steering,
    hold: (part) => {
      back();
      steering.hold(part);
    },
    send: (what) => {
      back();
      steering.send(what);
    },
  };
}
