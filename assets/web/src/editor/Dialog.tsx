// A modal dialog: the focus stays in it, Esc closes it.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  heading: string;
  close: () => void;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ heading, close, wide = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing, unlike taking it away, puts the focus back where it was.
    return () => element?.close();
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    close();
  };
  return (
    <dialog ref={dialog} class={wide ? "ask ask-wide" : "ask"} aria-labelledby={id} onCancel={cancel}>
      <h2 id={id}>{heading}</h2>
      {children}
    </dialog>
  );
}
