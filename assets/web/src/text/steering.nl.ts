// De teksten over het sturen van een camera, en over waar hij kan kijken, in het Nederlands; deel van `nl.ts`.

import type { steeringEn } from "./steering.en";

export const steeringNl: typeof steeringEn = {
  heading: "Sturen",
  cannot: "Deze camera kan niet worden gestuurd.",
  pad: "Joystick",
  padHelp: "Pijltjestoetsen draaien de camera zolang u ze indrukt, met Shift sneller. Plus en min zoomen.",
  zoomIn: "Inzoomen zolang ingedrukt",
  zoomOut: "Uitzoomen zolang ingedrukt",
  home: "Basisstand",
  homeHelp: "Naar de basisstand draaien",
  stop: "Stop",
  point: "Naar een punt",
  pointHint:
    "Klik waar de camera heen moet kijken. Met toetsen: pijltjes verplaatsen het kruis, Enter draait. Esc stopt.",
  nobody: "Nu stuurt niemand.",
  you: "U stuurt nu.",
  other: (name) => `${name} stuurt nu.`,
  trouble: {
    held: "Iemand anders stuurt deze camera. Probeer het als die klaar is.",
    beyond: "Daar kan de camera niet heen kijken.",
    camera: "De camera heeft het niet gedaan.",
    many: "Te veel opdrachten tegelijk. Wacht even.",
    unreachable: "De gateway antwoordt niet. Een camera die draait, stopt vanzelf.",
    other: "Sturen is niet gelukt.",
    dismiss: "Sluiten",
  },
  globe: {
    legend: "Waar de camera kijkt",
    now: "wat de camera nu ziet",
    seen: "bekeken sinds deze pagina open is",
    notYet: "nog niet bekeken",
    never: "kan nooit worden bekeken",
    all: "Er is hier niets dat hij nooit kan bekijken.",
    limits: "Wat nooit kan worden bekeken, volgt uit de grenzen en het wijdste beeld in het profiel van de camera.",
    shares: (seen) => `${seen}% van wat de camera kan bekijken, is bekeken.`,
    noReach: "Het is niet bekend wat de camera kan bereiken.",
  },
  keys: {
    heading: "Sturen",
    turn: "De camera draaien zolang ingedrukt, met Shift sneller",
    pad: "Hetzelfde, als de joystick de focus heeft",
    zoom: "In- of uitzoomen zolang ingedrukt",
    home: "Naar de basisstand draaien",
    stop: "De camera stoppen; naar een punt gaan of bijstellen beëindigen",
    trim: "Bij het bijstellen: de correctie 1 pixel verplaatsen, met Shift 10",
    trimZone: "Bij het bijstellen: de volgende of de vorige zone kiezen",
    trimDelete: "Bij het bijstellen: de correctie weghalen",
    names: { plusMinus: "+ −", home: "Home" },
  },
};
