import { expect, test } from "vitest";
import { CONNECT_WITHIN_MS, LiveConnection, STEADY_AFTER_MS, type Report } from "./connection";
import type { Phase } from "./phase";

/** Surroundings in which the test keeps the time. */
function stage() {
  const tries: { report: Report; closed: boolean }[] = [];
  let timer: { ms: number; call: () => void } | null = null;
  const phases: Phase[] = [];
  const live = new LiveConnection(
    {
      open: (report) => {
        const one = { report, closed: false };
        tries.push(one);
        return { close: () => (one.closed = true) };
      },
      after: (ms, call) => {
        const mine = { ms, call };
        timer = mine;
        return () => {
          if (timer === mine) timer = null;
        };
      },
      random: () => 0,
    },
    (phase) => phases.push(phase),
  );
  return {
    live,
    tries,
    timerMs: () => timer?.ms ?? null,
    ring: () => {
      const call = timer?.call;
      timer = null;
      call?.();
    },
    phase: () => phases.at(-1),
    report: () => {
      const last = tries.at(-1);
      if (!last) throw new Error("nothing was opened");
      return last.report;
    },
    open: () => tries.filter((one) => !one.closed).length,
  };
}

test("a gateway that restarts is found again, and never two connections stand", () => {
  const s = stage();
  s.live.start();
  s.report().connected();
  expect(s.timerMs()).toBe(STEADY_AFTER_MS);
  s.ring();
  s.report().failed("lost");
  for (const ms of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    expect(s.open()).toBe(0);
    expect(s.timerMs()).toBe(ms);
    s.ring();
    expect(s.open()).toBe(1);
    expect(s.timerMs()).toBe(CONNECT_WITHIN_MS);
    s.report().failed("unreachable");
  }
  s.live.wake();
  s.report().connected();
  expect(s.phase()).toEqual({ kind: "connected", failures: 0 });
  expect(s.open()).toBe(1);
});

test("a try that never connects is given up", () => {
  const s = stage();
  s.live.start();
  s.ring();
  expect(s.phase()).toMatchObject({ kind: "waiting", cause: "blocked", failures: 1 });
  expect(s.open()).toBe(0);
});

test("what an old try reports late changes nothing", () => {
  const s = stage();
  s.live.start();
  const old = s.report();
  old.failed("lost");
  s.ring();
  old.connected();
  old.failed("forbidden");
  expect(s.phase()).toEqual({ kind: "connecting", failures: 1 });
});

test("pictures that stop coming end the connection, but not a try that is under way", () => {
  const s = stage();
  s.live.start();
  s.live.giveUp("no-picture");
  expect(s.phase()?.kind).toBe("connecting");
  s.report().connected();
  s.live.giveUp("no-picture");
  expect(s.phase()).toMatchObject({ kind: "waiting", cause: "no-picture" });
});

test("after it was stopped nothing is open and no timer runs", () => {
  const s = stage();
  s.live.start();
  s.report().connected();
  s.live.stop();
  expect([s.open(), s.timerMs(), s.phase()?.kind]).toEqual([0, null, "idle"]);
  s.live.start();
  expect(s.open()).toBe(1);
});
