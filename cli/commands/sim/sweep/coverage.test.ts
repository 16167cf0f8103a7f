import { expect, test } from "vitest";
import { MARKS } from "../../../../core/index.ts";
import { blixard } from "../../../testing/index.ts";
import { coverageLines, coverageOf } from "./coverage.ts";

test("marks that were reached, in the order of the list, and those that were not", () => {
  const marks = new Map([
    ["election/won", 3],
    ["election/campaign", 5],
  ]);
  const { reached, unreached } = coverageOf(marks);
  expect(Object.entries(reached)).toEqual([
    ["election/campaign", 5],
    ["election/won", 3],
  ]);
  expect(unreached).toEqual(MARKS.filter((mark) => !marks.has(mark)));
  const lines = coverageLines(marks, (_, text) => text);
  expect(lines.slice(1, 4)).toEqual(["marks reached (times)", "  election/campaign  5", "  election/won       3"]);
  expect(lines[5]).toBe(`never reached: ${MARKS.length - 2} of ${MARKS.length} marks`);
});

test("a sweep sums them over its threads, and without --coverage counts none", async () => {
  const args = ["sim", "sweep", "calm", "--seeds", "1..2", "--duration", "2s", "--jobs", "2", "--json"];
  const { out } = await blixard([...args, "--coverage"]);
  const [first, second, last] = out.split("\n").map((line) => JSON.parse(line));
  const won = (report: { marks: Record<string, number> }) => report.marks["election/won"] ?? 0;
  expect(won(first)).toBeGreaterThan(0);
  expect(last.coverage.reached["election/won"]).toBe(won(first) + won(second));
  expect(last.coverage.unreached).toContain("preemption/decided");

  const [report] = (await blixard(args)).out.split("\n").map((line) => JSON.parse(line));
  expect(report.marks).toEqual({});
});
