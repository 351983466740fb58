// Records as a table. What the gateway words stays as it words it, in English.

import type { AuditRecord } from "../api/audit";
import type { Dictionary } from "../text/en";
import { codeName, exactMoment } from "../text/format";
import { useTexts } from "../text/language";

export function Records({ records }: { records: AuditRecord[] }) {
  const { t, language } = useTexts();
  const words = t.audit.table;
  const heads = [words.time, words.actor, words.action, words.object, words.result, words.detail];
  return (
    <div class="scroll" role="region" aria-label={t.table.scroll} tabIndex={0}>
      <table class="states audit-records" aria-labelledby="audit-records-heading">
        <thead>
          <tr>
            {heads.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <tr key={record.seq} class={`audit-${record.result}`}>
              <th scope="row">
                <time dateTime={record.time}>{exactMoment(record.time, language)}</time>
                <span class="quiet-text audit-seq">{words.seq(String(record.seq))}</span>
              </th>
              <td>
                {record.actor}
                <span class="quiet-text audit-seq">{record.origin}</span>
              </td>
              <td>{named(t.audit.actions, record.action)}</td>
              <td>{objectName(record.object, t)}</td>
              <td>{named(t.audit.results, record.result)}</td>
              <td>
                <Detail detail={record.detail} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A code in words; one that this page does not know stays a code. */
function named(words: Record<string, string>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code;
}

/** `camera market` in words; what was typed stays. */
function objectName(object: string, t: Dictionary): string {
  const camera = /^camera (.+)$/.exec(object)?.[1];
  return camera ? t.audit.table.camera(camera) : named(t.audit.objects, object);
}

function Detail({ detail }: { detail: Record<string, unknown> }) {
  const { t } = useTexts();
  const entries = Object.entries(detail);
  if (entries.length === 0) return <>–</>;
  const value = (name: string, given: unknown): string => {
    const words = Array.isArray(given) && given.every((item) => typeof item === "string");
    const text = typeof given === "string" ? given : words ? given.join(", ") : JSON.stringify(given);
    if (name === "state") return named(t.state, text);
    if (name === "code") return codeName(text, t);
    if (given === true || given === false) return given ? t.audit.table.yes : t.audit.table.no;
    return text;
  };
  return (
    <dl class="audit-detail">
      {entries.map(([name, given]) => (
        <div key={name}>
          <dt>{named(t.audit.details, name)}</dt>
          <dd>{value(name, given)}</dd>
        </div>
      ))}
    </dl>
  );
}
