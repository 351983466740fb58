// The document that is worked on, the version it began with, its draft and its saving.

import { useCallback, useEffect, useMemo, useReducer, useState } from "preact/hooks";
import { failureOf } from "../api/client";
import { holderName, readMasks, readVersion, type Holder } from "../api/masks";
import { presetName, same, zoneName } from "../masks/document";
import { findDrafts, forgetDraft, type Draft } from "../masks/drafts";
import { begin, edit, selectedZone, type Edit, type Editing } from "../masks/editing";
import type { Work } from "../masks/saving";
import type { Masks, Version } from "../masks/versions";
import type { Dictionary } from "../text/en";
import { useTexts } from "../text/language";
import { draftStore, useDraft } from "./useDraft";
import { useSaving } from "./useSaving";

interface Props {
  holder: Holder;
  user: string;
  masks: Masks;
  expired: () => void;
}

/** A draft that was found; `opened` where it is what one works on already. */
interface Found {
  draft: Draft;
  opened: boolean;
}

export function useWork({ holder, user, masks, expired }: Props) {
  const { t } = useTexts();
  const camera = holderName(holder);
  const [base, setBase] = useState<Masks>(masks);
  const [draft, setDraft] = useState<Found | null>(() => found(user, camera, masks.version));
  const [editing, apply] = useReducer(edit, masks, (masks) => {
    const state = begin(masks.document);
    // Made on this very version: it lies open again, and can be undone.
    return draft?.opened ? edit(state, { do: "replace", document: draft.draft.document }) : state;
  });
  const [round, setRound] = useState(0);
  const [said, setSaid] = useState("");
  const [unread, setUnread] = useState(false);
  const dirty = useMemo(() => !same(editing.document, base.document), [editing.document, base.document]);
  const kept = useDraft({ user, camera, base: base.version, document: editing.document, dirty });

  const dispatch = (action: Edit) => {
    apply(action);
    const news = announcement(editing, action, t);
    if (news) setSaid(news);
  };
  const choose = useCallback((zone: string) => apply({ do: "select", zone }), []);

  const put = (masks: Masks) => {
    setUnread(false);
    setBase(masks);
    apply({ do: "load", document: masks.document });
    setRound((n) => n + 1);
  };
  const failed = (error: unknown) => {
    if (failureOf(error).kind === "logged-out") expired();
    else setUnread(true);
  };
  /** What is in effect now; changes that are not saved stay where they are. */
  const loadCurrent = () => {
    setRound((n) => n + 1);
    if (!dirty) readMasks(holder).then(put, failed);
  };
  const saved = (version: Version, work: Work) => {
    const store = draftStore();
    if (store && work.kind === "save") forgetDraft(store, user, camera, base.version.sha256);
    setDraft(null);
    if (work.kind === "save" && version.state === "active") {
      setBase({ ...base, version, document: work.document });
      setRound((n) => n + 1);
    } else if (work.kind === "save" || !dirty) {
      readMasks(holder).then(put, failed);
    } else {
      setRound((n) => n + 1);
    }
  };
  const [saving, ask] = useSaving({ holder, base: base.version.sha256, saved, expired });

  const loadTheirs = () => {
    readMasks(holder).then((masks) => {
      ask({ do: "close" });
      put(masks);
      setDraft(found(user, camera, masks.version));
    }, failed);
  };
  const openDraft = () => {
    if (!draft) return;
    const mine = draft.draft;
    // Over the version it was made on, so that saving shows what came in between.
    readVersion(holder, mine.base.number).then(({ version, document }) => {
      put({ ...base, version, document });
      apply({ do: "replace", document: mine.document });
      setDraft({ draft: mine, opened: true });
    }, failed);
  };
  const discardDraft = () => {
    const store = draftStore();
    if (!draft) return;
    if (store) forgetDraft(store, user, camera, draft.draft.base.sha256);
    setDraft(null);
    if (draft.opened) readMasks(holder).then(put, failed);
  };
  // Once one's own step undoes it, there is no draft to speak of.
  useEffect(() => {
    if (!dirty) setDraft((old) => (old?.opened ? null : old));
  }, [dirty]);

  const explain = (nothingPrivate: string) => {
    apply({ do: "explain", nothingPrivate });
    ask({ do: "document", document: { ...editing.document, nothing_private: nothingPrivate } });
  };
  return {
    base,
    editing,
    dispatch,
    choose,
    dirty,
    kept,
    said,
    round,
    saving,
    ask,
    explain,
    loadCurrent,
    loadTheirs,
    draft,
    openDraft,
    discardDraft,
    /** Other masks were to be shown and could not be read. */
    unread,
  };
}

function found(user: string, camera: string, version: Version): Found | null {
  const store = draftStore();
  const [first, ...others] = store ? findDrafts(store, user, camera) : [];
  const here = [first, ...others].find((draft) => draft?.base.sha256 === version.sha256);
  if (here) return { draft: here, opened: true };
  return first ? { draft: first, opened: false } : null;
}

/** What somebody who does not see the picture should hear. */
function announcement(before: Editing, action: Edit, t: Dictionary): string | null {
  const after = edit(before, action);
  if (after === before) return null;
  const words = t.masks.said;
  switch (action.do) {
    case "undo":
      return words.undone;
    case "redo":
      return words.redone;
    case "delete-point":
      return words.pointDeleted;
    case "delete-zone":
      return words.zoneDeleted;
    case "draw-point":
      return words.corner(String(after.drawing?.points.length ?? 0));
    case "draw-close": {
      const zone = selectedZone(after);
      return zone && words.added(zoneName(zone));
    }
    case "preset-add": {
      const added = after.document.presets?.at(-1);
      return added ? t.presets.said.added(presetName(added)) : null;
    }
    case "preset-move":
      return t.presets.said.moved;
    case "preset-delete":
      return t.presets.said.deleted;
    case "trim-delete":
      return t.presets.said.trimRemoved;
    case "trims-copy":
      return t.presets.said.copied;
    default:
      return null;
  }
}
