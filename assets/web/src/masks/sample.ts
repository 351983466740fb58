// Documents for tests.

import type { MaskDocument, SphereZone } from "./document";

export function sphereZone(id: string, pan: number, tilt: number, half = 5): SphereZone {
  const corners = [
    [-half, -half],
    [half, -half],
    [half, half],
    [-half, half],
  ] as const;
  const points = corners.map(([p, t]) => ({ pan_deg: pan + p, tilt_deg: tilt + t }));
  return { id, mode: "hide", shape: { type: "sphere", points } };
}

export function street(): MaskDocument {
  return {
    format: 1,
    camera: "street",
    zones: [sphereZone("house", -20, 0), sphereZone("garden", 10, -5)],
    presets: [
      {
        id: "crossing",
        pan_deg: -10,
        tilt_deg: -4,
        zoom: 0.4,
        trims: [
          { zone: "house", pan_deg: 0.12, tilt_deg: -0.05 },
          { zone: "garden", pan_deg: 0.1, tilt_deg: 0 },
        ],
      },
    ],
  };
}
