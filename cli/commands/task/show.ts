import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { duration, formatTime, size, table } from "../../output/index.ts";
import { isOver, type Task, whyWords } from "./state.ts";

export function registerShow(task: Command, session: Session): void {
  withReadOptions(withExamples(task.command("show"), ["blixard task show backup-7"]))
    .description("One task, with the end of what it printed.")
    .argument("<task>", "its id")
    .action(async (id: string, options: ReadOptions) => {
      const request = { id, stale: options.stale === true };
      await show(session, options, "task.show", request, (answer) => renderTask(answer.task));
    });
}

export function renderTask(task: Task): string[] {
  const { resources, features, output } = task;
  const why = whyWords(task);
  const lines = table("<<", [
    ["task", task.id],
    ["tenant", task.tenant],
    [
      "state",
      `${task.state}${why === "" ? "" : `: ${why}`}${task.isCancelled && !isOver(task) ? " (is being cancelled)" : ""}`,
    ],
    ["worker", task.workerId === null ? "-" : `${task.workerId}`],
    ["command", [task.command, ...task.args].map(quoted).join(" ")],
    ["needs", size(resources)],
    ["features", features.length === 0 ? "-" : features.join(", ")],
    ["attempts", `${task.attempt} of ${task.attemptsMax}, each at most ${duration(task.timeoutMs)}`],
    ["exit code", task.exitCode === null ? "-" : `${task.exitCode}`],
    ["changed", `${formatTime(task.updatedAtMs)} at log index ${task.updatedIndex}`],
  ]);
  if (output !== "") lines.push("", ...output.replace(/\n$/, "").split("\n"));
  return lines;
}

/** A word quoted for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
