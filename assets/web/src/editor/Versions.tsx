// All versions: who, when and why; two of them over each other; restoring and approving.

import { useEffect, useState } from "preact/hooks";
import { failureOf } from "../api/client";
import { judge, readVersion, readVersions, type Holder } from "../api/masks";
import type { MaskDocument } from "../masks/document";
import type { Version } from "../masks/versions";
import { useTexts } from "../text/language";
import { Compare } from "./Compare";
import { VersionRow } from "./VersionRow";

interface Props {
  holder: Holder;
  user: string;
  restore: (number: number) => void;
  /** Grows when the versions have changed. */
  round: number;
  changed: () => void;
  expired: () => void;
}

export function Versions({ holder, user, restore, round, changed, expired }: Props) {
  const { t } = useTexts();
  const words = t.masks.versions;
  const [versions, setVersions] = useState<Version[] | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [chosen, setChosen] = useState<number[]>([]);

  const fail = (text: string) => (error: unknown) => {
    if (failureOf(error).kind === "logged-out") expired();
    else setTrouble(text);
  };
  useEffect(() => {
    let gone = false;
    readVersions(holder).then(
      (list) => {
        if (gone) return;
        setVersions(list);
        setChosen((old) => (old.length > 0 ? old : toJudge(list)));
      },
      (error) => !gone && fail(words.failed)(error),
    );
    return () => {
      gone = true;
    };
  }, [holder, round]);

  const choose = (number: number) =>
    setChosen((old) => (old.includes(number) ? old.filter((n) => n !== number) : [...old, number].slice(-2)));
  const approve = async (number: number, yes: boolean) => {
    setTrouble(null);
    try {
      await judge(holder, number, yes);
    } catch (error) {
      fail(words.judgeFailed)(error);
    }
    changed();
  };
  return (
    <section class="versions" aria-labelledby="versions-heading">
      <h2 id="versions-heading">{words.heading}</h2>
      <div role="alert">{trouble && <p class="problem">{trouble}</p>}</div>
      <p class="quiet-text">{words.intro}</p>
      {chosen.length === 2 && <Both holder={holder} numbers={[...chosen].sort((a, b) => a - b)} expired={expired} />}
      {!versions && !trouble && <p role="status">{t.masks.compare.loading}</p>}
      {versions && (
        <div class="scroll" role="region" aria-label={t.table.scroll} tabIndex={0}>
          <table class="states">
            <thead>
              <tr>
                {[words.compare, words.number, words.saved, words.author, words.reason, words.state, words.action].map(
                  (name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {versions.map((version) => (
                <VersionRow
                  key={version.number}
                  version={version}
                  own={version.author === user}
                  chosen={chosen.includes(version.number)}
                  choose={choose}
                  restore={restore}
                  approve={approve}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Whoever comes to judge a proposal sees it over what is in effect. */
function toJudge(versions: readonly Version[]): number[] {
  const proposed = versions.find(({ state }) => state === "proposed");
  const active = versions.find(({ state }) => state === "active");
  return proposed && active ? [active.number, proposed.number] : [];
}

/** The older one solid, the newer one dashed. */
function Both({ holder, numbers, expired }: { holder: Holder; numbers: number[]; expired: () => void }) {
  const { t } = useTexts();
  const [documents, setDocuments] = useState<MaskDocument[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [older = 0, newer = 0] = numbers;
  useEffect(() => {
    let gone = false;
    setDocuments(null);
    setFailed(false);
    Promise.all([older, newer].map((number) => readVersion(holder, number))).then(
      (both) => !gone && setDocuments(both.map(({ document }) => document)),
      (error) => {
        if (gone) return;
        if (failureOf(error).kind === "logged-out") expired();
        else setFailed(true);
      },
    );
    return () => {
      gone = true;
    };
  }, [holder, older, newer]);
  const [a, b] = documents ?? [];
  if (!a || !b) return <p role="status">{failed ? t.masks.versions.failed : t.masks.compare.loading}</p>;
  const name = (number: number) => t.masks.conflict.theirs(String(number));
  return <Compare solid={{ name: name(older), document: a }} dashed={{ name: name(newer), document: b }} />;
}
