import { expect, test } from "vitest";
import type { Failure } from "../api/client";
import { AT_REST, steer, type Command, type Course, type CourseEvent } from "./course";
import { keysMove, knob, padMove } from "./deflection";

const right = { pan: 0.5, tilt: 0, zoom: 0 };
const left = { pan: -0.5, tilt: 0, zoom: 0 };
const STILL = { pan: 0, tilt: 0, zoom: 0 };
const hold = (move = right): CourseEvent => ({ do: "hold", move });
const ok: CourseEvent = { do: "answer", failure: null };
const no = (failure: Failure): CourseEvent => ({ do: "answer", failure });
const refused = (status: number): Failure => ({ kind: "refused", status, problem: null });
const tick: CourseEvent = { do: "tick" };
const home: CourseEvent = { do: "command", command: { kind: "home" } };

/** What went out, as `kind@ms`, and where it led. */
function play(...steps: [number, CourseEvent][]): { out: string[]; course: Course } {
  let course = AT_REST;
  const out: string[] = [];
  for (const [at, event] of steps) {
    let command: Command | null;
    [course, command] = steer(course, event, at);
    if (!command) continue;
    out.push(`${command.kind === "move" ? (command.move.pan > 0 ? "right" : "left") : command.kind}@${at}`);
  }
  return { out, course };
}

test.each<[string, [number, CourseEvent][], string[]]>([
  [
    "a hold goes out at once and again after 250 ms",
    [
      [0, hold()],
      [20, ok],
      [200, tick],
      [250, tick],
    ],
    ["right@0", "right@250"],
  ],
  [
    "nothing goes out while one is under way",
    [
      [0, hold()],
      [250, tick],
      [500, tick],
    ],
    ["right@0"],
  ],
  [
    "what is wanted last goes out when the answer comes",
    [
      [0, hold()],
      [50, hold(left)],
      [300, ok],
    ],
    ["right@0", "left@300"],
  ],
  [
    "a hand that moves is followed ten times a second",
    [
      [0, hold()],
      [5, ok],
      [50, hold(left)],
      [100, tick],
    ],
    ["right@0", "left@100"],
  ],
  [
    "letting go stops",
    [
      [0, hold()],
      [10, ok],
      [40, { do: "let-go" }],
    ],
    ["right@0", "stop@40"],
  ],
  [
    "letting go while one is under way stops after it",
    [
      [0, hold()],
      [40, { do: "let-go" }],
      [90, ok],
      [400, tick],
    ],
    ["right@0", "stop@90"],
  ],
  [
    "letting go twice stops once",
    [
      [0, hold()],
      [1, ok],
      [2, { do: "let-go" }],
      [3, ok],
      [4, { do: "let-go" }],
    ],
    ["right@0", "stop@2"],
  ],
  ["letting go of nothing sends nothing", [[0, { do: "let-go" }]], []],
  [
    "a hand in the middle is no move",
    [
      [0, hold(STILL)],
      [300, tick],
    ],
    [],
  ],
  [
    "a hand back in the middle stops",
    [
      [0, hold()],
      [1, ok],
      [9, hold(STILL)],
      [10, ok],
      [300, tick],
    ],
    ["right@0", "stop@9"],
  ],
  [
    "a command takes the hand's place",
    [
      [0, hold()],
      [30, home],
      [60, ok],
      [400, tick],
    ],
    ["right@0", "home@60"],
  ],
  [
    "of two commands the newest goes out",
    [
      [0, home],
      [1, { do: "command", command: { kind: "stop" } }],
      [2, home],
      [3, ok],
    ],
    ["home@0", "home@3"],
  ],
  [
    "a hold takes a waiting command's place",
    [
      [0, home],
      [1, home],
      [2, hold()],
      [9, ok],
    ],
    ["home@0", "right@9"],
  ],
])("%s", (_, steps, out) => {
  expect(play(...steps).out).toEqual(out);
});

test.each<[string, Failure, string[]]>([
  ["somebody else steers: nothing more is sent", refused(409), ["right@0"]],
  ["the camera refuses: one stop, in case it still turns", refused(502), ["right@0", "stop@10"]],
  ["no answer: one stop, in case it still turns", { kind: "unreachable" }, ["right@0", "stop@10"]],
])("%s, until the hand lets go", (_, failure, out) => {
  const { out: sent, course } = play([0, hold()], [10, no(failure)], [20, ok], [30, hold(left)], [300, tick]);
  expect(sent).toEqual(out);
  expect(course.trouble).toEqual(failure);
  const again = play([0, hold()], [10, no(failure)], [20, ok], [30, { do: "let-go" }], [400, hold(left)]);
  expect(again.out.at(-1)).toBe("left@400");
  expect(again.course.trouble).toBeNull();
});

test("a refused command is told until it is dismissed", () => {
  const steps: [number, CourseEvent][] = [
    [0, home],
    [5, no(refused(422))],
  ];
  expect(play(...steps).course).toMatchObject({ trouble: refused(422), refused: false, underWay: null });
  expect(play(...steps, [6, { do: "dismiss" }]).course.trouble).toBeNull();
});

test.each([
  ["rests", 0.05, 0.05, { pan: 0, tilt: 0 }],
  ["at the right edge", 1, 0, { pan: 1, tilt: 0 }],
  ["at the upper edge", 0, -1, { pan: 0, tilt: 1 }],
  ["beyond the edge, slanting", 3, 4, { pan: 0.6, tilt: -0.8 }],
  ["halfway is slower than half", 0.54, 0, { pan: 0.25, tilt: 0 }],
  ["nowhere", Number.NaN, 0, { pan: 0, tilt: 0 }],
])("a hand that %s", (_, x, y, move) => {
  expect(padMove(x, y)).toEqual(move);
});

test("the knob stays on the pad", () => {
  expect(knob(3, 4)).toEqual({ x: 0.6, y: 0.8 });
  expect(knob(0.1, 0)).toEqual({ x: 0.1, y: 0 });
});

test.each([
  [["ArrowRight"], false, { pan: 0.4, tilt: 0, zoom: 0 }],
  [["ArrowRight", "ArrowUp"], true, { pan: 1, tilt: 1, zoom: 0 }],
  [["ArrowRight", "ArrowLeft"], true, STILL],
  [["-"], false, { pan: 0, tilt: 0, zoom: -0.4 }],
  [["+", "="], true, { pan: 0, tilt: 0, zoom: 1 }],
  [["x"], false, STILL],
])("the keys %j, fast: %s", (keys, fast, move) => {
  expect(keysMove(new Set(keys), fast)).toEqual(move);
});
