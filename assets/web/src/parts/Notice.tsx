// A sentence above the page that one should know now. Screen readers are told by the console's one live
// region instead: a count of seconds must not be read out each second.

import type { ComponentChildren } from "preact";
import { useTexts } from "../text/language";

export function Notice({ children }: { children: ComponentChildren }) {
  const { t } = useTexts();
  return (
    <aside class="notice" aria-label={t.nav.notice}>
      <p>{children}</p>
    </aside>
  );
}
