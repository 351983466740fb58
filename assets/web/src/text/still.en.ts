// The clear still's texts in English; part of `en.ts`.

export const stillEn = {
  label: "Clear still",
  fetch: "Clear still",
  another: "Another clear still",
  back: "Back to the live picture",
  busy: "Fetching…",
  picture: (camera: string) => `Clear still of ${camera}`,
  shown: (time: string) =>
    `You draw on a clear still of ${time}. It bears your name, and is on record.`,
  left: (by: string, time: string) => `Permitted by ${by}, for ${time} more.`,
  none: (givers: string) =>
    `A clear still would show what the masks hide. Nobody has permitted it now. These people can: ${givers}.`,
  nobody: "A clear still would show what the masks hide. Nobody has permitted it, and no account can.",
  failed: "There is no clear still now.",
  tooSoon: (seconds: string) => `A clear still was asked for just now. Try again in ${seconds} s.`,
  unreachable: "The gateway does not answer. Try again in a moment.",
  nav: "Clear stills",
  page: {
    heading: "Clear stills",
    intro:
      "Who draws masks may have to see what is under them. For the time that you permit here, integrators can fetch single clear pictures of a camera. Faces, plates and people stay hidden where the gateway looks for them on this camera. Each picture bears the name of who fetched it, is kept nowhere, and is on record in the audit log; so is your permit.",
    noRole: "Your role does not include this: officers and administrators permit clear stills.",
    notOffered: "This gateway does not offer clear stills: its configuration does not allow them.",
    minutes: "Minutes (1 to 60)",
    reason: "Reason",
    give: "Permit",
    withdraw: "Withdraw",
    missing: "Fill in 1 to 60 minutes and a reason.",
    given: (by: string, reason: string) => `Permitted by ${by}: “${reason}”`,
    left: (time: string) => `Ends in ${time}.`,
  },
};
