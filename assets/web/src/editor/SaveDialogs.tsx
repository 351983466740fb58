// What saving asks and tells: the reason, and what to do about somebody else's version.

import { useEffect, useRef, useState } from "preact/hooks";
import { readVersion, type Holder } from "../api/masks";
import { LONGEST_TEXT, presetName, zoneName, type MaskDocument } from "../masks/document";
import type { Saving, SavingEvent, Trouble } from "../masks/saving";
import type { Dictionary } from "../text/en";
import { moment } from "../text/format";
import { useTexts } from "../text/language";
import { Compare } from "./Compare";
import { Dialog } from "./Dialog";

type Asking = Extract<Saving, { step: "asking" | "sending" }>;

interface AskProps {
  state: Asking;
  base: MaskDocument;
  fourEyes: boolean;
  dispatch: (event: SavingEvent) => void;
  /** Why there are no zones: part of the document, so it is edited there. */
  explain: (why: string) => void;
  document: MaskDocument;
}

export function AskDialog({ state, base, fourEyes, dispatch, explain, document }: AskProps) {
  const { t } = useTexts();
  const words = t.masks.save;
  const { work, reason } = state;
  const [missing, setMissing] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const trouble = state.step === "asking" ? state.trouble : null;
  const needed = work.kind === "restore" || trouble?.kind === "needs-reason";
  const empty = work.kind === "save" && document.zones.length === 0;
  const busy = state.step === "sending";

  useEffect(() => {
    if (trouble) field.current?.focus();
  }, [trouble]);

  const submit = (event: Event) => {
    event.preventDefault();
    if (empty && !document.nothing_private?.trim()) return setMissing(words.nothingPrivateMissing);
    if (needed && reason.trim() === "") {
      setMissing(words.reasonMissing);
      return field.current?.focus();
    }
    setMissing(null);
    dispatch({ do: "send" });
  };
  const heading = work.kind === "save" ? words.heading : t.masks.versions.restoreHeading(String(work.number));
  return (
    <Dialog heading={heading} close={() => dispatch({ do: "close" })}>
      <form onSubmit={submit} noValidate>
        {work.kind === "save" ? <Changes from={base} to={document} /> : <p>{t.masks.versions.restoreText}</p>}
        {fourEyes && <p>{words.fourEyes}</p>}
        {empty && (
          <>
            <label for="nothing-private">{words.nothingPrivate}</label>
            <p class="quiet-text small">{words.nothingPrivateHelp}</p>
            <textarea
              id="nothing-private"
              rows={2}
              maxLength={LONGEST_TEXT}
              value={document.nothing_private ?? ""}
              onInput={(event) => explain(event.currentTarget.value)}
            />
          </>
        )}
        <div role="alert">
          {trouble && <TroubleText trouble={trouble} t={t} />}
          {missing && <p class="problem">{missing}</p>}
        </div>
        <label for="save-reason">
          {trouble?.kind === "needs-reason" ? words.why : words.reason}{" "}
          {!needed && <span class="quiet-text">{words.optional}</span>}
        </label>
        <textarea
          ref={field}
          id="save-reason"
          rows={3}
          required={needed}
          value={reason}
          onInput={(event) => dispatch({ do: "reason", text: event.currentTarget.value })}
        />
        <div class="row">
          <button type="submit" class="primary" aria-disabled={busy}>
            {busy ? words.busy : work.kind === "save" ? words.submit : t.masks.versions.restoreSubmit}
          </button>
          <button type="button" onClick={() => dispatch({ do: "close" })}>
            {words.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function TroubleText({ trouble, t }: { trouble: Trouble; t: Dictionary }) {
  const words = t.masks.save;
  if (trouble.kind === "needs-reason") return <p class="warning">{words.needsReason}</p>;
  const { failure } = trouble;
  if (failure.kind === "unreachable") return <p class="problem">{words.unreachable}</p>;
  const said = failure.kind === "refused" ? failure.problem : null;
  return (
    <p class="problem">
      {words.failed} {said && <span lang="en">{[said.error, said.remedy].filter(Boolean).join(" ")}</span>}
    </p>
  );
}

/** Which zones are new, changed or gone, by name. */
function Changes({ from, to }: { from: MaskDocument; to: MaskDocument }) {
  const { t } = useTexts();
  const words = t.masks.save;
  const before = new Map(from.zones.map((zone) => [zone.id, zone]));
  const after = new Set(to.zones.map((zone) => zone.id));
  const rows: [string, string[]][] = [
    [words.added, to.zones.filter((zone) => !before.has(zone.id)).map(zoneName)],
    [
      words.changed,
      to.zones
        .filter((zone) => before.has(zone.id) && JSON.stringify(before.get(zone.id)) !== JSON.stringify(zone))
        .map(zoneName),
    ],
    [words.removed, from.zones.filter((zone) => !after.has(zone.id)).map(zoneName)],
    [t.presets.changed, presetsChanged(from, to)],
  ];
  const some = rows.filter(([, names]) => names.length > 0);
  if (some.length === 0) return null;
  return (
    <dl class="changes" aria-label={words.changes}>
      {some.map(([what, names]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{names.join(", ")}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The names of presets that are new, changed (their trims too) or gone. */
function presetsChanged(from: MaskDocument, to: MaskDocument): string[] {
  const [before, after] = [from.presets ?? [], to.presets ?? []];
  const texts = new Set(before.map((preset) => JSON.stringify(preset)));
  const ids = new Set(after.map(({ id }) => id));
  return [
    ...after.filter((preset) => !texts.has(JSON.stringify(preset))),
    ...before.filter(({ id }) => !ids.has(id)),
  ].map(presetName);
}

interface ConflictProps {
  holder: Holder;
  state: Extract<Saving, { step: "conflict" }>;
  dispatch: (event: SavingEvent) => void;
  loadTheirs: () => void;
}

export function ConflictDialog({ holder, state, dispatch, loadTheirs }: ConflictProps) {
  const { t, language } = useTexts();
  const words = t.masks.conflict;
  const { current, work } = state;
  const [theirs, setTheirs] = useState<MaskDocument | null>(null);
  const [mine, setMine] = useState<MaskDocument | null>(work.kind === "save" ? work.document : null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    const load = (number: number, put: (document: MaskDocument) => void) =>
      readVersion(holder, number).then(
        (version) => !gone && put(version.document),
        () => !gone && setFailed(true),
      );
    void load(current.number, setTheirs);
    if (work.kind === "restore") void load(work.number, setMine);
    return () => {
      gone = true;
    };
  }, [holder, current.number, work]);
  const theirName = words.theirs(String(current.number));
  const myName = work.kind === "save" ? words.mine : words.theirs(String(work.number));
  return (
    <Dialog heading={words.heading} close={() => dispatch({ do: "close" })} wide>
      <p>
        {words.who(current.author, moment(current.saved, language), String(current.number))}{" "}
        {current.reason && words.reason(current.reason)}
      </p>
      <p>{words.look}</p>
      {theirs && mine ? (
        <Compare solid={{ name: theirName, document: theirs }} dashed={{ name: myName, document: mine }} />
      ) : (
        <p role="status">{failed ? t.masks.versions.failed : t.masks.compare.loading}</p>
      )}
      <div class="row">
        <button type="button" class="primary" onClick={() => dispatch({ do: "close" })}>
          {words.back}
        </button>
        {work.kind === "save" && (
          <button type="button" onClick={loadTheirs}>
            {words.theirsInstead}
          </button>
        )}
        <button
          type="button"
          aria-disabled={!theirs || !mine}
          onClick={() => theirs && mine && dispatch({ do: "go-on" })}
        >
          {work.kind === "save" ? words.over : words.restoreOver}
        </button>
      </div>
    </Dialog>
  );
}
