// Whether the log is what was written, as the gateway found when it last looked at all of it.

import type { Verified } from "../api/audit";
import { exactMoment, number } from "../text/format";
import { useTexts } from "../text/language";

export function Whole({ verified }: { verified: Verified }) {
  const { t, language } = useTexts();
  const words = t.audit.whole;
  const at = verified.at ? exactMoment(verified.at, language) : "";
  return (
    <section class={`audit-whole audit-whole-${verified.state}`} aria-labelledby="audit-whole-heading">
      <h2 id="audit-whole-heading">{words.heading}</h2>
      {verified.state === "unknown" && <p>{words.unknown}</p>}
      {verified.state === "whole" && <p>{words.whole(number(verified.records, language), at)}</p>}
      {verified.state === "broken" && (
        <>
          <p>
            <strong>{words.broken(at)}</strong>
          </p>
          <ul lang="en">
            {verified.faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        </>
      )}
      {verified.checkpoint && verified.key && (
        <details>
          <summary>{words.note}</summary>
          <p>{words.noteWhy}</p>
          <p>
            <code>{verified.checkpoint}</code>
          </p>
          <p>
            {words.key} <code>{verified.key}</code>
          </p>
        </details>
      )}
    </section>
  );
}
