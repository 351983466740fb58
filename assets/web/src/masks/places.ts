// The camera's own presets and those of the document as one list.

import type { OwnPreset } from "../api/model";
import { distanceDeg, NEAR_DEG } from "../geometry/trim";
import { presetName, type Preset } from "./document";

export interface PlaceRow {
  key: string;
  name: string;
  preset: Preset | null;
  own: OwnPreset | null;
  /** The camera's own one of this name stands elsewhere. */
  apart: boolean;
}

type Position = { pan_deg: number; tilt_deg: number };

export function positionOf(own: OwnPreset): Position | null {
  return own.pan_deg === null || own.tilt_deg === null ? null : { pan_deg: own.pan_deg, tilt_deg: own.tilt_deg };
}

/** The document's in their order, each with the camera's own at its place, or else of its name; then the others. */
export function placesOf(presets: readonly Preset[], own: readonly OwnPreset[]): PlaceRow[] {
  const left = new Set(own);
  const match = new Map<Preset, OwnPreset>();
  const take = (fits: (preset: Preset, own: OwnPreset) => boolean) => {
    for (const preset of presets) {
      const found = match.has(preset) ? undefined : [...left].find((each) => fits(preset, each));
      if (!found) continue;
      match.set(preset, found);
      left.delete(found);
    }
  };
  take((preset, each) => near(preset, each));
  take((preset, each) => plain(each.name) === plain(presetName(preset)));
  const rows = presets.map((preset): PlaceRow => {
    const mine = match.get(preset) ?? null;
    const apart = mine !== null && positionOf(mine) !== null && !near(preset, mine);
    return { key: `preset ${preset.id}`, name: presetName(preset), preset, own: mine, apart };
  });
  const others = own.filter((each) => left.has(each));
  return [
    ...rows,
    ...others.map((each): PlaceRow => {
      return { key: `own ${each.token}`, name: each.name || each.token, preset: null, own: each, apart: false };
    }),
  ];
}

/** The preset that the camera stands on; the nearest where there are several. */
export function standingOn<T extends Position>(presets: readonly T[], at: Position): T | null {
  const here = presets.filter((preset) => distanceDeg(preset, at) <= NEAR_DEG);
  return here.sort((a, b) => distanceDeg(a, at) - distanceDeg(b, at))[0] ?? null;
}

function near(preset: Preset, own: OwnPreset): boolean {
  const place = positionOf(own);
  return place !== null && distanceDeg(preset, place) <= NEAR_DEG;
}

function plain(name: string): string {
  return name.trim().toLowerCase();
}
