// The texts about presets that somebody vouches for, in English; part of `en.ts`.

export const vouchEn = {
  label: "Who vouches for this preset",
  intro:
    "This camera cannot tell where it looks. It is shown only where its picture is that of a preset for which somebody vouched; everywhere else it is covered. For each preset: send the camera there from where it is steered (the gateway cannot), draw its masks on a clear still, save them, and say on a clear still that they fit.",
  of: (camera: string) => `Presets of ${camera}`,
  ofText:
    "This camera cannot tell where it looks: it is shown only on presets whose masks somebody vouched for. You may withdraw that.",
  unread: "The presets could not be read.",
  nobody: "Nobody has vouched for its masks: the picture is covered there.",
  by: (by: string, at: string, reason: string) => `${by}, ${at}: “${reason}”`,
  withdraw: "Withdraw",
  withdrawOf: (name: string) => `Withdraw: ${name}`,
  withdrawText:
    "From the next picture on this preset is covered, until somebody vouches for it again. It is on record.",
  refused: "The gateway did not do it.",
  all: "All presets of this camera",
  elsewhere: (name: string) => `The camera rests on another preset now: ${name}.`,
  saveFirst: "Nobody can vouch for what is not saved.",
  fetchFirst: "Whoever vouches looks at a clear still of this preset, under the masks that are in force.",
  reason: "Why you know that the masks fit this still",
  example: "compared with the map, by day",
  submit: "They fit: show this preset",
  busy: "The gateway compares the picture with the still…",
  done: "Done. From now on this preset is shown wherever the picture looks as it does now.",
};
