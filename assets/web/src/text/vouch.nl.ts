// De teksten over presets waar iemand voor instaat, in het Nederlands; deel van `nl.ts`.

import type { vouchEn } from "./vouch.en";

export const vouchNl: typeof vouchEn = {
  label: "Wie voor deze preset instaat",
  intro:
    "Deze camera kan niet zeggen waar hij kijkt. Zijn beeld is alleen te zien als het dat van een preset is waar iemand voor instaat; overal elders is het afgedekt. Voor elke preset: stuur de camera erheen vanwaar hij bediend wordt (de gateway kan dat niet), teken de maskers op een onafgedekt beeld, sla ze op, en zeg op een onafgedekt beeld dat ze kloppen.",
  of: (camera) => `Presets van ${camera}`,
  ofText:
    "Deze camera kan niet zeggen waar hij kijkt: hij is alleen te zien op presets waarvan iemand voor de maskers instaat. U kunt dat intrekken.",
  unread: "De presets konden niet worden gelezen.",
  nobody: "Niemand staat in voor de maskers: het beeld is daar afgedekt.",
  by: (by, at, reason) => `${by}, ${at}: “${reason}”`,
  withdraw: "Intrekken",
  withdrawOf: (name) => `Intrekken: ${name}`,
  withdrawText:
    "Vanaf het volgende beeld is deze preset afgedekt, tot er weer iemand voor instaat. Het wordt vastgelegd.",
  refused: "De gateway heeft het niet gedaan.",
  all: "Alle presets van deze camera",
  elsewhere: (name) => `De camera staat nu op een andere preset: ${name}.`,
  saveFirst: "Niemand kan instaan voor wat niet is opgeslagen.",
  fetchFirst: "Wie ervoor instaat, kijkt naar een onafgedekt beeld van deze preset, onder de maskers die gelden.",
  reason: "Waarom u weet dat de maskers op dit beeld kloppen",
  example: "vergeleken met de kaart, overdag",
  submit: "Ze kloppen: toon deze preset",
  busy: "De gateway vergelijkt het beeld met het onafgedekte beeld…",
  done: "Gedaan. Vanaf nu is deze preset te zien zolang het beeld eruitziet als nu.",
};
