// One version in the list.

import type { Version } from "../masks/versions";
import { moment } from "../text/format";
import { useTexts } from "../text/language";

interface Props {
  version: Version;
  /** Whoever looks made it. */
  own: boolean;
  chosen: boolean;
  choose: (number: number) => void;
  restore: (number: number) => void;
  approve: (number: number, yes: boolean) => void;
}

export function VersionRow({ version, own, chosen, choose, restore, approve }: Props) {
  const { t, language } = useTexts();
  const words = t.masks.versions;
  const { number, state } = version;
  return (
    <tr class={`version-${state}`}>
      <td>
        <label class="tick">
          <input type="checkbox" checked={chosen} onChange={() => choose(number)} />
          <span class="unseen">{words.compareOne(String(number))}</span>
        </label>
      </td>
      <th scope="row">{number}</th>
      <td>{moment(version.saved, language)}</td>
      <td>{version.author}</td>
      <td class="reason-cell">
        {version.reason ?? words.none}
        {version.restores !== null && <div class="quiet-text">{words.restores(String(version.restores))}</div>}
      </td>
      <td>
        {words.states[state] ?? state}
        {version.covers_less && <div class="covers-less">▽ {words.coversLess}</div>}
        {version.second && (
          <div class="quiet-text">{(state === "refused" ? words.refusedBy : words.second)(version.second)}</div>
        )}
      </td>
      <td>
        <div class="row">
          {state === "proposed" && own && <span class="quiet-text">{words.ownProposal}</span>}
          {state === "proposed" && !own && (
            <>
              <button type="button" onClick={() => approve(number, true)}>
                {words.approve}
              </button>
              <button type="button" onClick={() => approve(number, false)}>
                {words.refuse}
              </button>
            </>
          )}
          {(state === "past" || state === "refused") && (
            <button type="button" aria-label={words.restoreOf(String(number))} onClick={() => restore(number)}>
              {words.restore}
            </button>
          )}
        </div>
      </td>
    </tr>
  );
}
