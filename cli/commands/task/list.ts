import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { fitTable } from "../../output/index.ts";
import type { Task } from "./state.ts";

export function registerList(task: Command, { terminal }: Session): void {
  withReadOptions(withExamples(task.command("list"), ["blixard task list", "blixard task list --json"]))
    .description("List tasks by id. One that is over stays until it is cancelled.")
    .action(async (options: ReadOptions) => {
      const { tasks, index } = await withNode(options, (api) => listAll(api, options));
      if (options.json === true) terminal.out(JSON.stringify({ index, tasks }));
      else if (tasks.length === 0) terminal.err("there are no tasks; `blixard task submit COMMAND` runs one");
      else for (const line of renderTasks(tasks, terminal.columns)) terminal.out(line);
    });
}

export function renderTasks(tasks: readonly Task[], columns: number): string[] {
  const rows = tasks.map((task) => [
    task.id,
    task.tenant,
    task.state,
    task.workerId === null ? "-" : `${task.workerId}`,
    `${task.attempt}/${task.attemptsMax}`,
    [task.command, ...task.args].join(" "),
    task.state === "Pending" && task.reason === "" ? "waits for a place" : task.reason,
  ]);
  return fitTable("<<<>><<", [["TASK", "TENANT", "STATE", "WORKER", "TRY", "COMMAND", "WHY"], ...rows], columns);
}

async function listAll(
  api: ApiClient,
  options: ReadOptions,
): Promise<{ readonly index: number; readonly tasks: readonly Task[] }> {
  const tasks: Task[] = [];
  let afterId: string | null = null;
  for (;;) {
    const request = { afterId, stale: options.stale === true };
    const page: AnswerOf<"task.list"> = await api.read("task.list", request, { timeoutMs: options.timeout });
    tasks.push(...page.tasks);
    if (page.nextAfterId === null) return { index: page.index, tasks };
    afterId = page.nextAfterId;
  }
}
