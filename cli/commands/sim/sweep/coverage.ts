/** Which marks of the core the runs of a sweep have passed, and which none has. */
import { MARKS } from "../../../../core/index.ts";
import { count, indent, type Paint, plural, table } from "../../../output/index.ts";

export interface Coverage {
  /** Mark to how often it was passed. */
  readonly reached: Readonly<Record<string, number>>;
  readonly unreached: readonly string[];
}

export function coverageOf(marks: ReadonlyMap<string, number>): Coverage {
  const reached = MARKS.flatMap((mark) => {
    const times = marks.get(mark);
    return times === undefined ? [] : [[mark, times] as const];
  });
  return { reached: Object.fromEntries(reached), unreached: MARKS.filter((mark) => !marks.has(mark)) };
}

export function coverageLines(marks: ReadonlyMap<string, number>, paint: Paint): string[] {
  const { reached, unreached } = coverageOf(marks);
  const rows = Object.entries(reached).map(([mark, times]) => [mark, count(times)]);
  return [
    "",
    `${paint("bold", "marks reached")} (times)`,
    ...indent(table("<>", rows)),
    "",
    paint("bold", `never reached: ${count(unreached.length)} of ${plural(MARKS.length, "mark")}`),
    ...indent(unreached),
  ];
}
