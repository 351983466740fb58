// What somebody looks for in the audit log; pure.

export interface Filters {
  /** As a `datetime-local` field has it, in the browser's time. */
  from: string;
  to: string;
  actor: string;
  action: string;
  object: string;
  result: string;
}

export const ALL: Filters = { from: "", to: "", actor: "", action: "", object: "", result: "" };
const AT_ONCE = 50;

/** A local time as an instant; nothing where it is none. */
export function instantOf(local: string): string | null {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** The gateway's question; what is empty matches all. */
export function questionOf(filters: Filters, beforeSeq: number | null): URLSearchParams {
  const question = new URLSearchParams({ limit: String(AT_ONCE) });
  const put = (name: string, value: string | null) => value && question.set(name, value);
  put("from", instantOf(filters.from));
  put("to", instantOf(filters.to));
  put("actor", filters.actor.trim());
  put("action", filters.action);
  put("object", filters.object.trim());
  put("result", filters.result);
  put("before_seq", beforeSeq === null ? null : String(beforeSeq));
  return question;
}

/** A day as a `date` field has it, in UTC as proof packs count. */
function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** From the first of this month up to today. */
export function thisMonth(now: Date): { from: string; to: string } {
  const today = dayOf(now);
  return { from: `${today.slice(0, 8)}01`, to: today };
}
