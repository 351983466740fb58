import { EXPORT } from "../api/audit";
import { mayAudit, type Session } from "../api/model";
import { ProofForm } from "../audit/ProofForm";
import { Records } from "../audit/Records";
import { Search } from "../audit/Search";
import { useAudit } from "../audit/useAudit";
import { Whole } from "../audit/Whole";
import { number } from "../text/format";
import { useTexts } from "../text/language";

/** Who did what, and proof of what cameras hide: for officers and administrators. */
export function AuditPage({ session, expired }: { session: Session; expired: () => void }) {
  const { t } = useTexts();
  if (mayAudit(session)) return <Log session={session} expired={expired} />;
  return (
    <div class="text">
      <h1>{t.audit.heading}</h1>
      <p>{t.audit.noRole}</p>
    </div>
  );
}

function Log({ session, expired }: { session: Session; expired: () => void }) {
  const { t, language } = useTexts();
  const words = t.audit;
  const { records, verified, next, busy, failed, search, older } = useAudit(expired);
  const shown = number(records.length, language);
  return (
    <div class="text wide audit">
      <h1>{words.heading}</h1>
      <p class="quiet-text">{words.intro}</p>
      {verified && <Whole verified={verified} />}
      {session.cameras.length > 0 && <ProofForm cameras={session.cameras} expired={expired} />}
      <div class="audit-head">
        <h2 id="audit-records-heading">{words.records}</h2>
        <a class="button" href={EXPORT} download="greyplane-audit.jsonl">
          {words.export}
        </a>
      </div>
      <Search search={search} busy={busy} />
      <p role="status" class="quiet-text">
        {busy ? words.busy : !failed && words.shown(shown)}
      </p>
      <div role="alert">{failed && <p class="problem">{words.failed}</p>}</div>
      {records.length > 0 && <Records records={records} />}
      {next !== null && (
        <p>
          <button type="button" aria-disabled={busy} onClick={() => !busy && older()}>
            {words.older}
          </button>
        </p>
      )}
      {next === null && !busy && !failed && <p class="quiet-text">{words.beginning}</p>}
    </div>
  );
}
