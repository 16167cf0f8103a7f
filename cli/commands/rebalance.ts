/** `blixard rebalance`: moves that even out how full the workers are. */
import type { AnswerOf } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, parseCount, withExamples } from "../frame/index.ts";
import { fitTable, plural } from "../output/index.ts";

type Plan = AnswerOf<"rebalance.plan">;

export const registerRebalance: CommandGroup = (program, { terminal }) => {
  withClientOptions(
    withExamples(program.command("rebalance"), ["blixard rebalance", "blixard rebalance --moves 3 --apply"])
      .description(
        "Show moves that would even out how full the workers are; with --apply, make them. Each moved VM stops and starts again. Not more often than every ten minutes.",
      )
      .option("--moves <n>", "at most so many", parseCount, 10)
      .option("--apply", "make the moves"),
  ).action(async (options: ClientOptions & { readonly moves: number; readonly apply?: true }) => {
    const { moves: movesMax, timeout: timeoutMs } = options;
    await withNode(options, async (api) => {
      const plan = await api.read("rebalance.plan", { movesMax }, { timeoutMs });
      const moves = plan.moves.map(({ name, epoch, to }) => ({ name, epoch, to }));
      const isApplied = options.apply === true && moves.length > 0;
      const applied = isApplied ? await api.write("rebalance.apply", { moves }, { timeoutMs }) : null;
      if (options.json === true) {
        const { index: planIndex, ...rest } = plan;
        terminal.out(JSON.stringify({ planIndex, ...rest, ...(applied ?? NOT_APPLIED) }));
        return;
      }
      for (const line of renderRebalance(plan, terminal.columns)) terminal.out(line);
      if (applied !== null) terminal.out(`${movedWords(applied)}: log index ${applied.index}, term ${applied.term}`);
      else if (moves.length > 0) terminal.err("nothing is moved yet: --apply makes these moves");
    });
  });
};

const NOT_APPLIED = { index: null, term: null, moved: null, refused: null };

export function movedWords({ moved, refused }: Pick<AnswerOf<"rebalance.apply">, "moved" | "refused">): string {
  if (moved === null || refused === null || refused === 0) return "these moves are under way";
  return `${plural(moved, "move")} under way, ${refused} could not be made any more: a VM has changed, or has no room where it should go`;
}

export function renderRebalance({ before, after, moves }: Plan, columns: number): string[] {
  if (moves.length === 0) return [`imbalance ${percent(before)}: no move of a running VM would make it clearly better`];
  const rows = moves.map(({ name, from, to, gain }) => [name, `${from}`, `${to}`, percent(gain)]);
  return [
    `imbalance ${percent(before)}, ${percent(after)} after ${plural(moves.length, "move")}`,
    "",
    ...fitTable("<>>>", [["VM", "FROM", "TO", "GAIN"], ...rows], columns),
  ];
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
