import { expect, test } from "vitest";
import { ALL, instantOf, questionOf, thisMonth, type Filters } from "./filters";

test.each<[Partial<Filters>, number | null, string]>([
  [{}, null, "limit=50"],
  [{}, 7, "limit=50&before_seq=7"],
  [{ actor: " anna ", object: "  " }, null, "limit=50&actor=anna"],
  [{ action: "log-in", result: "refused" }, null, "limit=50&action=log-in&result=refused"],
  [{ object: "camera a&b" }, null, "limit=50&object=camera+a%26b"],
  [{ from: "nonsense" }, null, "limit=50"],
])("%j before %s asks %s", (filters, before, question) => {
  expect(String(questionOf({ ...ALL, ...filters }, before))).toBe(question);
});

test("a local time is asked for as an instant", () => {
  const instant = instantOf("2026-11-22T10:30");
  expect(new Date(instant ?? "").getTime()).toBe(new Date(2026, 10, 22, 10, 30).getTime());
  expect(instantOf("")).toBeNull();
});

test("a pack is offered from the first of the month", () => {
  expect(thisMonth(new Date("2026-11-22T23:30:00Z"))).toEqual({ from: "2026-11-01", to: "2026-11-22" });
});
