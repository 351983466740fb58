// The bar above every page.

import { mayAudit, type Session } from "../api/model";
import { AUDIT, STATE, STILLS, WALL, type Route } from "../route";
import { useTexts } from "../text/language";
import { LanguageButton } from "./LanguageButton";

interface Props {
  session: Session;
  route: Route;
  video: boolean;
  /** Whether there is a page of clear stills for this user. */
  stills: boolean;
  help: () => void;
  leave: () => void;
}

export function Header({ session, route, video, stills, help, leave }: Props) {
  const { t } = useTexts();
  const here = (is: boolean) => (is ? ("page" as const) : undefined);
  return (
    <header class="bar">
      <span class="brand">greyplane</span>
      <nav aria-label={t.nav.label}>
        {video && (
          <a href={WALL} aria-current={here(route.page === "wall")}>
            {t.nav.wall}
          </a>
        )}
        <a href={STATE} aria-current={here(route.page === "state" || (!video && route.page === "wall"))}>
          {t.nav.state}
        </a>
        {mayAudit(session) && (
          <a href={AUDIT} aria-current={here(route.page === "audit")}>
            {t.audit.link}
          </a>
        )}
        {stills && (
          <a href={STILLS} aria-current={here(route.page === "stills")}>
            {t.still.nav}
          </a>
        )}
      </nav>
      <div class="bar-end">
        {video && (
          <button type="button" class="quiet" onClick={help} aria-haspopup="dialog">
            {t.nav.keys} <kbd aria-hidden="true">?</kbd>
          </button>
        )}
        <LanguageButton />
        <span class="user" title={t.nav.loggedInAs(session.user)}>
          <span class="unseen">{t.nav.loggedInAs("")}</span>
          {session.user}
        </span>
        <button type="button" class="quiet" onClick={leave}>
          {t.nav.logOut}
        </button>
      </div>
    </header>
  );
}
