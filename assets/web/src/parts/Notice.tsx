// A sentence above the page that one should know now.

import type { ComponentChildren } from "preact";

export function Notice({ children }: { children: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      <p>{children}</p>
    </div>
  );
}
