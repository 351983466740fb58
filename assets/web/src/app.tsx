// Who sees which page.

import { useSession } from "./api/useSession";
import { Console } from "./console";
import { LoginPage } from "./pages/LoginPage";
import { Plain } from "./parts/Plain";
import { useTexts } from "./text/language";

export function App() {
  const { t } = useTexts();
  const { state, loggedIn, expired, leave } = useSession();
  switch (state.kind) {
    case "asking":
    case "leaving":
      return <Plain>{t.start.asking}</Plain>;
    case "unreachable":
      return <Plain>{t.start.unreachable}</Plain>;
    case "none":
      return <LoginPage ended={state.ended} loggedIn={loggedIn} />;
    case "user":
      return <Console {...state} expired={expired} leave={leave} />;
  }
}
