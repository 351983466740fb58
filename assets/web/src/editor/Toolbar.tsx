// Drawing, undoing and saving, as buttons.

import type { Edit, Editing } from "../masks/editing";
import { useTexts } from "../text/language";

interface Props {
  editing: Editing;
  dispatch: (edit: Edit) => void;
  /** None where one cannot draw: no picture of known direction. */
  draw: (() => void) | null;
  dirty: boolean;
  save: () => void;
}

export function Toolbar({ editing, dispatch, draw, dirty, save }: Props) {
  const { t } = useTexts();
  const words = t.masks.tools;
  const { drawing, past, future } = editing;
  const few = (drawing?.points.length ?? 0) < 3;
  return (
    <div class="tools" role="group" aria-label={words.label}>
      {drawing ? (
        <>
          <button type="button" aria-disabled={few} onClick={() => dispatch({ do: "draw-close" })}>
            {words.finish}
          </button>
          <button type="button" onClick={() => dispatch({ do: "draw-cancel" })}>
            {words.cancel}
          </button>
        </>
      ) : (
        <button type="button" aria-disabled={!draw} onClick={() => draw?.()}>
          {words.draw}
        </button>
      )}
      <button type="button" aria-disabled={past.length === 0 && !drawing} onClick={() => dispatch({ do: "undo" })}>
        {words.undo}
      </button>
      <button type="button" aria-disabled={future.length === 0} onClick={() => dispatch({ do: "redo" })}>
        {words.redo}
      </button>
      <button type="button" class="primary" aria-disabled={!dirty || drawing !== null} onClick={save}>
        {words.save}
      </button>
    </div>
  );
}
