// The line above the editor: which camera, which version, which view of it.

import type { ComponentChildren } from "preact";
import type { Version } from "../masks/versions";
import { StateBadge } from "../parts/StateBadge";
import { cameraHref } from "../route";
import { moment } from "../text/format";
import { useTexts } from "../text/language";
import type { CameraView } from "../view";

export type Tab = "picture" | "panorama" | "motion" | "versions";

interface Props {
  camera: CameraView;
  /** Whose masks they are, where they belong to presets. */
  preset: string | null;
  version: Version;
  dirty: boolean;
  tab: Tab;
  setTab: (tab: Tab) => void;
  /** Those that this camera has. */
  tabs: readonly Tab[];
  children: ComponentChildren;
}

export function Head({ camera, preset, version, dirty, tab, setTab, tabs, children }: Props) {
  const { t, language } = useTexts();
  const words = t.masks;
  const base = words.base(String(version.number), version.author, moment(version.saved, language));
  const names: Record<Tab, string> = { ...words.tabs, motion: t.motion.tab };
  return (
    <div class="masks-head">
      <div class="masks-about">
        <div class="masks-title">
          <h1>
            {words.link}: <a href={cameraHref(camera.id)}>{camera.id}</a>
            {preset !== null && ` · ${preset}`}
          </h1>
          <StateBadge state={camera.state} />
        </div>
        <p class="quiet-text small" title={base}>
          {dirty && <span class="unsaved">● {words.unsaved} · </span>}
          {base}
        </p>
      </div>
      <div class="masks-controls">
        <div class="tabs" role="group" aria-label={words.tabs.label}>
          {tabs.map((name) => (
            <button key={name} type="button" aria-pressed={name === tab} onClick={() => setTab(name)}>
              {names[name]}
            </button>
          ))}
        </div>
        {children}
      </div>
    </div>
  );
}
