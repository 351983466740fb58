import { expect, test } from "vitest";
import { advance, beginCheck, courseOf, ended, legOf, type Check, type Look } from "./check";
import { bandsOf, byLeg, figuresOf } from "./summary";

const look = (at_s: number, more: Partial<Look> = {}): Look => ({
  at_s,
  pan_deg: 175,
  tilt_deg: -5,
  zoom: 0.2,
  hfov_deg: 40,
  margin_deg: 0.5,
  moving: false,
  state: "live",
  reason: null,
  ...more,
});

/** A camera that does what it is told, and how it went. */
function drive(camera: { fastest: number; limit_deg?: number; widest: number; narrowest: number }, span = 10) {
  let [pan, hfov, held, going] = [175, 40, { pan: 0, zoom: 0 }, false];
  let check = beginCheck(look(0), span) as Check;
  const sent: string[] = [];
  for (let i = 1; i < 3000 && !check.end; i += 1) {
    pan += held.pan * camera.fastest * 0.1;
    if (camera.limit_deg !== undefined) pan = Math.min(pan, camera.limit_deg);
    hfov = Math.max(camera.narrowest, Math.min(camera.widest, hfov * (1 - 0.1 * held.zoom)));
    if (going) [pan, hfov] = [pan + Math.max(-2, Math.min(2, 175 - pan)), 40];
    const wrapped = ((((pan + 180) % 360) + 360) % 360) - 180;
    const [next, what] = advance(check, look(i / 10, { pan_deg: wrapped, hfov_deg: hfov }));
    check = next;
    if (what && "hold" in what) [held, going] = [what.hold, false];
    if (what && "send" in what) {
      sent.push(what.send.kind);
      [held, going] = [{ pan: 0, zoom: 0 }, what.send.kind === "go"];
    }
  }
  return { check, sent };
}

test("a sweep goes to both sides at three speeds, in and out, and back; across the seam too", () => {
  const { check, sent } = drive({ fastest: 20, widest: 60, narrowest: 5 });
  expect(check.end).toBe("done");
  expect(check.passed.map(({ leg, how }) => [leg.kind, how])).toEqual(courseOf().map(({ kind }) => [kind, "reached"]));
  expect(sent).toEqual(["go", "go", "stop"]);
});

test("a camera that can go no further turns round", () => {
  const { check } = drive({ fastest: 20, limit_deg: 178, widest: 60, narrowest: 5 });
  expect(check.end).toBe("done");
  expect(check.passed[0]).toMatchObject({ leg: { kind: "pan", direction: 1 }, how: "short" });
  expect(check.passed[1]?.how).toBe("reached");
});

test("a camera that does not obey ends each leg after a while", () => {
  const { check } = drive({ fastest: 0, widest: 40, narrowest: 40 });
  expect(check.end).toBe("done");
  expect(check.passed.filter(({ how }) => how === "short")).toHaveLength(6);
  expect(check.samples.length).toBeLessThan(600);
});

test("without a position it does not begin, and it ends after three seconds without one", () => {
  const lost = { pan_deg: null, tilt_deg: null, margin_deg: null, state: "unknown" } as const;
  expect(beginCheck(look(0, lost), 10)).toBeNull();
  let check = beginCheck(look(0), 10) as Check;
  let what = null;
  for (let i = 1; i <= 31; i += 1) [check, what] = advance(check, look(i / 10, lost));
  expect(check.end).toBe("no-position");
  expect(what).toEqual({ send: { kind: "stop" } });
});

test("stopped, it keeps what was seen and wants nothing more", () => {
  const [running] = advance(beginCheck(look(0), 10) as Check, look(1));
  const check = ended(running, "stopped");
  expect(check.passed).toEqual([{ leg: courseOf()[0], from_s: 0, to_s: 1, how: "broken-off" }]);
  expect(legOf(check)).toBeNull();
  expect(advance(check, look(2))).toEqual([check, null]);
  expect(ended(check, "done")).toBe(check);
});

test("figures: shares of the time, the largest margin, reasons without their numbers", () => {
  const samples = [
    look(0),
    look(1, { state: "widened", reason: "margin 1.2°", margin_deg: 1.2, pan_deg: 179 }),
    look(2, { state: "widened", reason: "margin 1.9°", margin_deg: 1.9, pan_deg: -176 }),
    look(3, { state: "covered", reason: "telemetry 2.3 s old", margin_deg: null, pan_deg: null }),
    look(4),
  ];
  const figures = figuresOf(samples);
  expect(figures.shares).toEqual({ live: 0.25, widened: 0.5, covered: 0.25, unknown: 0 });
  expect(figures.margin_deg).toBe(1.9);
  expect(figures.speed_deg_s).toBeCloseTo(5);
  expect(figures.reasons).toEqual([
    { state: "widened", reason: "margin …°", seconds: 2 },
    { state: "covered", reason: "telemetry … s old", seconds: 1 },
  ]);
  expect(bandsOf(samples).map(({ state, from_s, to_s }) => [state, from_s, to_s])).toEqual([
    ["live", 0, 1],
    ["widened", 1, 3],
    ["covered", 3, 4],
    ["live", 4, 4],
  ]);
});

test("nothing seen has no figures", () => {
  expect(figuresOf([])).toMatchObject({ seconds: 0, margin_deg: null, speed_deg_s: null, reasons: [] });
  expect(bandsOf([])).toEqual([]);
});

test("each leg has its own figures", () => {
  const { check } = drive({ fastest: 20, widest: 60, narrowest: 5 });
  const legs = byLeg(check);
  expect(legs).toHaveLength(check.passed.length);
  const fastest = legs.map(({ figures }) => figures.speed_deg_s ?? 0);
  expect(fastest[4]).toBeGreaterThan(fastest[0] ?? 0);
});
