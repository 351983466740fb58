// Name and password, and in a calm sentence what went wrong.

import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, logIn, type Failure } from "../api/client";
import type { Session } from "../api/model";
import { LanguageButton } from "../parts/LanguageButton";
import type { Dictionary } from "../text/en";
import { timeOfDay, type Language } from "../text/format";
import { useTexts } from "../text/language";

interface Props {
  /** Somebody was logged in here and is no more. */
  ended: boolean;
  loggedIn: (session: Session) => void;
}

type Trouble = { kind: "incomplete" } | { kind: "failed"; failure: Failure; at: Date };

export function LoginPage({ ended, loggedIn }: Props) {
  const { t, language } = useTexts();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const user = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = `${t.title.login} · greyplane`;
  }, [t]);
  useEffect(() => user.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const [name, secret] = [user.current?.value.trim() ?? "", password.current?.value ?? ""];
    if (name === "" || secret === "") {
      setTrouble({ kind: "incomplete" });
      return (name === "" ? user : password).current?.focus();
    }
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    try {
      loggedIn(await logIn(name, secret));
    } catch (error) {
      const failure = failureOf(error);
      setTrouble({ kind: "failed", failure, at: new Date() });
      setBusy(false);
      if (failure.kind === "logged-out" && password.current) {
        password.current.value = "";
        password.current.focus();
      }
    }
  };

  const wrong = trouble?.kind === "incomplete" || (trouble?.kind === "failed" && trouble.failure.kind === "logged-out");
  const field = { required: true, "aria-describedby": "login-trouble", "aria-invalid": wrong };
  return (
    <main class="login">
      <div class="login-box">
        <p class="brand">greyplane</p>
        <h1>{t.login.heading}</h1>
        <p class="quiet-text">{ended ? t.login.ended : t.login.intro}</p>
        <form onSubmit={submit} noValidate>
          <label for="user">{t.login.user}</label>
          <input
            ref={user}
            id="user"
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            {...field}
          />
          <label for="password">{t.login.password}</label>
          <input
            ref={password}
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            {...field}
          />
          <div id="login-trouble" role="alert">
            {trouble && <Sentence trouble={trouble} t={t} language={language} />}
          </div>
          <button type="submit" class="primary" aria-disabled={busy}>
            {busy ? t.login.busy : t.login.submit}
          </button>
        </form>
      </div>
      <LanguageButton />
    </main>
  );
}

function Sentence({ trouble, t, language }: { trouble: Trouble; t: Dictionary; language: Language }) {
  if (trouble.kind === "incomplete") return <p>{t.login.incomplete}</p>;
  const { failure, at } = trouble;
  switch (failure.kind) {
    case "logged-out":
      return <p>{t.login.wrong}</p>;
    case "unreachable":
      return <p>{t.login.unreachable}</p>;
    case "too-many-tries":
      return <p>{t.login.tooMany(timeOfDay(new Date(at.getTime() + failure.retryAfterS * 1000), language))}</p>;
    case "refused":
      return (
        <p>
          {t.login.refused}{" "}
          {failure.problem && <span lang="en">{[failure.problem.error, failure.problem.remedy].join(" ")}</span>}
        </p>
      );
  }
}
