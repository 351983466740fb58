// The list of keys, over the page.

import { useLayoutEffect, useRef } from "preact/hooks";
import { useTexts } from "../text/language";

export function KeysHelp({ close, editor }: { close: () => void; editor: boolean }) {
  const { t } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  // At once: the next key must already meet the open list.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing, unlike taking it away, puts the focus back where it was.
    return () => element?.close();
  }, []);
  const { arrows, enter, escape } = t.keys.names;
  const pages: [string, string][] = [
    [arrows, t.keys.move],
    [enter, t.keys.open],
    ["1 – 9", t.keys.number],
    ["F", t.keys.fullScreen],
    [escape, t.keys.back],
    ["?", t.keys.help],
  ];
  const masks = t.masks.keys;
  const { space, page, shift, control, del } = masks.names;
  const editing: [string, string][] = [
    ["N", masks.draw],
    [space, masks.space],
    [enter, masks.enter],
    ["Backspace", masks.backspace],
    [escape, masks.escape],
    [arrows, masks.arrows],
    [page, masks.page],
    [del, masks.delete],
    [`${control} Z`, masks.undo],
    [`${control} ${shift} Z`, masks.redo],
    [`${control} S`, masks.save],
    ["?", t.keys.help],
  ];
  const steers = t.steering.keys;
  const steering: [string, string][] = [
    [`${control} ${arrows}`, steers.turn],
    [arrows, steers.pad],
    [steers.names.plusMinus, steers.zoom],
    [`${control} ${steers.names.home}`, steers.home],
    [escape, steers.stop],
    [`${arrows} `, steers.trim],
    [page, steers.trimZone],
    [del, steers.trimDelete],
  ];
  const lists: [string, [string, string][]][] = editor
    ? [
        [masks.heading, editing],
        [steers.heading, steering],
      ]
    : [[t.keys.heading, pages]];
  return (
    <dialog
      ref={dialog}
      class={lists.length > 1 ? "help help-wide" : "help"}
      aria-labelledby="keys-heading"
      onClose={close}
    >
      <div class="help-lists">
        {lists.map(([heading, rows], i) => (
          <section key={heading}>
            <h2 id={i === 0 ? "keys-heading" : undefined}>{heading}</h2>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t.keys.key}</th>
                  <th scope="col">{t.keys.does}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map(([key, does]) => (
                  <tr key={key}>
                    <th scope="row">
                      <kbd>{key}</kbd>
                    </th>
                    <td>{does}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
      </div>
      <button type="button" onClick={() => dialog.current?.close()}>
        {t.keys.close}
      </button>
    </dialog>
  );
}
