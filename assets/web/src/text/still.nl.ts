// De teksten van het onafgedekte beeld in het Nederlands; deel van `nl.ts`.

import type { stillEn } from "./still.en";

export const stillNl: typeof stillEn = {
  label: "Onafgedekt beeld",
  fetch: "Onafgedekt beeld",
  another: "Nog een onafgedekt beeld",
  back: "Terug naar het livebeeld",
  busy: "Ophalen…",
  picture: (camera) => `Onafgedekt beeld van ${camera}`,
  shown: (time) =>
    `U tekent op een onafgedekt beeld van ${time}. Uw naam staat erop, en het is vastgelegd.`,
  left: (by, time) => `Toegestaan door ${by}, nog ${time}.`,
  none: (givers) =>
    `Een onafgedekt beeld zou tonen wat de maskers afdekken. Niemand heeft het nu toegestaan. Deze mensen kunnen dat: ${givers}.`,
  nobody:
    "Een onafgedekt beeld zou tonen wat de maskers afdekken. Niemand heeft het toegestaan, en er is geen account dat het mag toestaan.",
  failed: "Er is nu geen onafgedekt beeld.",
  tooSoon: (seconds) => `Er is zojuist om een onafgedekt beeld gevraagd. Probeer het over ${seconds} s opnieuw.`,
  unreachable: "De gateway antwoordt niet. Probeer het zo meteen opnieuw.",
  nav: "Onafgedekte beelden",
  page: {
    heading: "Onafgedekte beelden",
    intro:
      "Wie maskers tekent, moet soms zien wat eronder ligt. Zolang u dat hier toestaat, kunnen integrators losse onafgedekte beelden van een camera ophalen. Gezichten, kentekens en mensen blijven afgedekt als de gateway er bij deze camera naar zoekt. Op elk beeld staat de naam van wie het ophaalde; het wordt nergens bewaard en staat in het logboek, net als uw toestemming.",
    noRole: "Dit hoort niet bij uw rol: functionarissen en beheerders staan onafgedekte beelden toe.",
    notOffered: "Deze gateway biedt geen onafgedekte beelden: de configuratie staat ze niet toe.",
    minutes: "Minuten (1 tot 60)",
    reason: "Reden",
    give: "Toestaan",
    withdraw: "Intrekken",
    missing: "Vul 1 tot 60 minuten en een reden in.",
    given: (by, reason) => `Toegestaan door ${by}: “${reason}”`,
    left: (time) => `Eindigt over ${time}.`,
  },
};
