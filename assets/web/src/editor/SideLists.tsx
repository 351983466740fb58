// Beside the picture: zones, or presets.

import type { ComponentChildren } from "preact";
import { useTexts } from "../text/language";

export type List = "zones" | "presets";

interface Props {
  list: List;
  setList: (list: List) => void;
  /** A camera that does not turn has no presets. */
  presets: boolean;
  children: ComponentChildren;
}

export function SideLists({ list, setList, presets, children }: Props) {
  const { t } = useTexts();
  const names: Record<List, string> = { zones: t.masks.zones.heading, presets: t.presets.heading };
  return (
    <>
      {presets && (
        <div class="tabs side-tabs" role="group" aria-label={t.presets.side}>
          {(["zones", "presets"] as const).map((name) => (
            <button key={name} type="button" aria-pressed={name === list} onClick={() => setList(name)}>
              {names[name]}
            </button>
          ))}
        </div>
      )}
      {children}
    </>
  );
}
