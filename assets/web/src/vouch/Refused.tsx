// Why the gateway did not do what was asked about a preset.

import type { Failure } from "../api/client";
import { useTexts } from "../text/language";

export function Refused({ failure }: { failure: Failure }) {
  const { t } = useTexts();
  const said = failure.kind === "refused" ? failure.problem : null;
  return (
    <p class="problem">
      {failure.kind === "refused" ? t.vouch.refused : t.still.unreachable}{" "}
      {said && <span lang="en">{[said.error, said.remedy].filter(Boolean).join(". ")}</span>}
    </p>
  );
}
