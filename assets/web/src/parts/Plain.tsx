// A page that has one sentence to say.

import type { ComponentChildren } from "preact";

export function Plain({ children }: { children: ComponentChildren }) {
  return (
    <main class="plain">
      <h1>greyplane</h1>
      <p role="status">{children}</p>
    </main>
  );
}
