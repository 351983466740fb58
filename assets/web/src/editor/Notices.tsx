// What one should know now, above the picture: where the camera looks, drafts, mistakes, what was saved.

import type { Draft } from "../masks/drafts";
import type { Saving } from "../masks/saving";
import { moment } from "../text/format";
import { useTexts } from "../text/language";
import type { LookingAt } from "./useView";

export function SavedNotice({ state, close }: { state: Saving; close: () => void }) {
  const { t } = useTexts();
  if (state.step !== "closed") return null;
  const { saved, mistakes } = state;
  const elsewhere = mistakes.filter((mistake) => mistake.zone === null);
  return (
    <>
      {saved && (
        <div class="told" role="status">
          <p>{(saved.state === "proposed" ? t.masks.save.proposed : t.masks.save.done)(String(saved.number))}</p>
          <button type="button" class="quiet" onClick={close}>
            {t.masks.save.close}
          </button>
        </div>
      )}
      {mistakes.length > 0 && (
        <div class="told told-problem" role="alert">
          <p>
            {elsewhere.length < mistakes.length ? t.masks.mistakes.some : t.masks.mistakes.elsewhere}{" "}
            {elsewhere.map(({ path, what, remedy }) => (
              <span key={path + what} lang="en">
                {path && `${path}: `}
                {what} {remedy}{" "}
              </span>
            ))}
          </p>
        </div>
      )}
    </>
  );
}

export function Problem({ children }: { children: string }) {
  return (
    <div class="told told-problem" role="alert">
      <p>{children}</p>
    </div>
  );
}

interface DraftProps {
  draft: Draft;
  /** None where it is opened already. */
  open: (() => void) | null;
  discard: () => void;
}

export function DraftNotice({ draft, open, discard }: DraftProps) {
  const { t, language } = useTexts();
  const words = t.masks.draft;
  return (
    <div class="told" role="status">
      <p>
        {words.found(moment(draft.changed, language), String(draft.base.number))} {open && words.older}
      </p>
      {open && (
        <button type="button" onClick={open}>
          {words.open}
        </button>
      )}
      <button type="button" onClick={discard}>
        {words.discard}
      </button>
    </div>
  );
}

export function DoubtNotice({ looking }: { looking: LookingAt }) {
  const { t } = useTexts();
  const { doubt, chart, why } = looking;
  if (doubt === "none") return null;
  const words = t.masks.camera;
  const text = doubt === "silent" || chart ? words[doubt] : words.never;
  return (
    <p class="doubt" role="status">
      {text}{" "}
      {why && (
        <>
          {words.why} <span lang="en">{why}</span>
        </>
      )}
    </p>
  );
}
