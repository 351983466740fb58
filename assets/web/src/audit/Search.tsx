// The fields by which records are looked for.

import { useState } from "preact/hooks";
import { useTexts } from "../text/language";
import { ALL, type Filters } from "./filters";

export function Search({ search, busy }: { search: (filters: Filters) => void; busy: boolean }) {
  const { t } = useTexts();
  const words = t.audit.search;
  const [filters, setFilters] = useState<Filters>(ALL);
  const field = (name: keyof Filters) => ({
    id: `audit-${name}`,
    value: filters[name],
    onInput: (event: { currentTarget: { value: string } }) => {
      const value = event.currentTarget.value;
      setFilters((old) => ({ ...old, [name]: value }));
    },
  });
  const actions = Object.entries(t.audit.actions).sort(([, a], [, b]) => a.localeCompare(b));
  const submit = (event: Event) => {
    event.preventDefault();
    search(filters);
  };
  const clear = () => {
    setFilters(ALL);
    search(ALL);
  };
  return (
    <form class="audit-search" role="search" aria-label={words.label} onSubmit={submit}>
      <p>
        <label for="audit-from">{words.from}</label>
        <input type="datetime-local" {...field("from")} />
      </p>
      <p>
        <label for="audit-to">{words.to}</label>
        <input type="datetime-local" {...field("to")} />
      </p>
      <p>
        <label for="audit-actor">{words.actor}</label>
        <input type="text" autoComplete="off" spellcheck={false} {...field("actor")} />
      </p>
      <p>
        <label for="audit-action">{words.action}</label>
        <select {...field("action")}>
          <option value="">{words.all}</option>
          {actions.map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </p>
      <p>
        <label for="audit-object">{words.object}</label>
        <input type="text" autoComplete="off" spellcheck={false} {...field("object")} />
      </p>
      <p>
        <label for="audit-result">{words.result}</label>
        <select {...field("result")}>
          <option value="">{words.all}</option>
          {Object.entries(t.audit.results).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </p>
      <p class="audit-buttons">
        <button type="submit" class="primary" aria-disabled={busy}>
          {words.submit}
        </button>
        <button type="button" onClick={clear}>
          {words.clear}
        </button>
      </p>
    </form>
  );
}
