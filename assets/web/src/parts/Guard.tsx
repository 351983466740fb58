// Catches what breaks in the page, so that nobody looks at an empty one and wonders.

import { Component, type ComponentChildren } from "preact";
import { useTexts } from "../text/language";
import { Plain } from "./Plain";

export class Guard extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };

  static override getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTexts();
  return (
    <Plain>
      {t.start.broken}{" "}
      <button type="button" onClick={() => window.location.reload()}>
        {t.start.reload}
      </button>
    </Plain>
  );
}
