// The records that match, the newest first, and older ones on demand.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { searchAudit, type AuditRecord, type Verified } from "../api/audit";
import { failureOf } from "../api/client";
import { ALL, type Filters } from "./filters";

export interface Audit {
  records: AuditRecord[];
  verified: Verified | null;
  /** Where older ones begin; none at the log's beginning. */
  next: number | null;
  busy: boolean;
  failed: boolean;
  search: (filters: Filters) => void;
  older: () => void;
}

export function useAudit(expired: () => void): Audit {
  const [records, setRecords] = useState<AuditRecord[]>([]);
  const [verified, setVerified] = useState<Verified | null>(null);
  const [next, setNext] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const filters = useRef<Filters>(ALL);
  // Only the last question's answer counts.
  const round = useRef(0);

  const ask = useCallback(
    async (before: number | null) => {
      const mine = ++round.current;
      setBusy(true);
      setFailed(false);
      try {
        const part = await searchAudit(filters.current, before);
        if (mine !== round.current) return;
        setRecords((old) => (before === null ? part.records : [...old, ...part.records]));
        setNext(part.next_before_seq);
        setVerified(part.verified);
      } catch (error) {
        if (mine !== round.current) return;
        if (failureOf(error).kind === "logged-out") expired();
        else setFailed(true);
      }
      setBusy(false);
    },
    [expired],
  );
  useEffect(() => {
    void ask(null);
    return () => {
      round.current += 1;
    };
  }, [ask]);

  const search = (wanted: Filters) => {
    filters.current = wanted;
    void ask(null);
  };
  return { records, verified, next, busy, failed, search, older: () => void ask(next) };
}
