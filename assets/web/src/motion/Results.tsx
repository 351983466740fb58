// What a motion check has shown, in words and as a table.

import type { Dictionary } from "../text/en";
import { codeName, degrees, number } from "../text/format";
import { useTexts } from "../text/language";
import type { Check, Leg } from "./check";
import { byLeg, figuresOf } from "./summary";

const STATES = ["live", "widened", "covered", "unknown"] as const;

export function legName(leg: Leg, t: Dictionary): string {
  const words = t.motion.leg;
  if (leg.kind === "back") return words.back;
  if (leg.kind === "zoom") return leg.direction > 0 ? words.in : words.out;
  return (leg.direction > 0 ? words.right : words.left)[leg.speed];
}

export function Summary({ check }: { check: Check }) {
  const { t, language } = useTexts();
  const words = t.motion.summary;
  const figures = figuresOf(check.samples);
  const { shares, seconds, margin_deg, speed_deg_s, reasons } = figures;
  const covered = shares.covered * seconds;
  return (
    <section class="check-summary" aria-labelledby="check-summary">
      <h3 id="check-summary">{words.heading}</h3>
      <p>
        {covered > 0
          ? words.covered(number(covered, language, 1))
          : (shares.live === 1 ? words.allLive : words.neverCovered)(number(seconds, language, 1))}
      </p>
      <dl>
        <div>
          <dt>{words.margin}</dt>
          <dd>{margin_deg === null ? words.none : words.degrees(degrees(margin_deg, language))}</dd>
        </div>
        <div>
          <dt>{words.speed}</dt>
          <dd>{speed_deg_s === null ? words.none : words.perSecond(number(speed_deg_s, language, 1))}</dd>
        </div>
        {STATES.filter((state) => state !== "unknown" || shares.unknown > 0).map((state) => (
          <div key={state}>
            <dt>{words.share(t.state[state])}</dt>
            <dd>{words.percent(number(100 * shares[state], language, 1))}</dd>
          </div>
        ))}
      </dl>
      {reasons.length > 0 && (
        <>
          <p class="label">{words.reasons}</p>
          <ul>
            {reasons.map(({ state, reason, seconds }) => (
              <li key={state + reason}>
                {t.state[state]}:{" "}
                <span lang={codeName(reason, t) === reason ? "en" : undefined}>{codeName(reason, t)}</span> (
                {words.seconds(number(seconds, language, 1))})
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

export function LegTable({ check }: { check: Check }) {
  const { t, language } = useTexts();
  const words = t.motion.table;
  const rows = byLeg(check);
  const share = (value: number) => t.motion.summary.percent(number(100 * value, language));
  const figure = (value: number | null, digits: number) =>
    value === null ? t.motion.summary.none : number(value, language, digits);
  const heads = [
    words.part,
    words.lasted,
    words.margin,
    words.speed,
    ...STATES.map((state) => words[state]),
    words.end,
  ];
  return (
    <section aria-labelledby="check-table">
      <h3 id="check-table">{words.heading}</h3>
      <div class="scroll" role="region" aria-label={words.scroll} tabIndex={0}>
        <table class="states">
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ leg, from_s, to_s, how, figures }, i) => (
              <tr key={i}>
                <th scope="row">{legName(leg, t)}</th>
                <td class="figure">{figure(to_s - from_s, 1)}</td>
                <td class="figure">{figure(figures.margin_deg, 2)}</td>
                <td class="figure">{figure(figures.speed_deg_s, 1)}</td>
                {STATES.map((state) => (
                  <td key={state} class="figure">
                    {share(figures.shares[state])}
                  </td>
                ))}
                <td>{t.motion.how[how]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
