/** `blixard task submit`: submits a task and waits until it is over. */
import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import type { ApiClient } from "../../../runtime-real/index.ts";
import { progressTo, QUESTION_MS, untilSeen, type WaitOptions, withNode, withWaitOptions } from "../../client/index.ts";
import {
  collect,
  EXIT,
  FailureError,
  parseCount,
  parseDurationMs,
  type Session,
  withExamples,
} from "../../frame/index.ts";
import { isOver, stateWords, type Task } from "./state.ts";

interface SubmitOptions extends WaitOptions {
  readonly id?: string;
  readonly vcpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly feature?: readonly string[];
  readonly tenant?: string;
  readonly timeLimit: number;
  readonly attempts?: number;
}

export function registerSubmit(task: Command, session: Session): void {
  const { terminal } = session;
  withWaitOptions(
    withExamples(task.command("submit"), [
      "blixard task submit --vcpus 2 /usr/bin/make all",
      "blixard task submit --id backup-7 --time-limit 2h --attempts 3 --no-wait backup --all",
    ])
      .description(
        "Run a command on a worker that has the room, and wait until it is over: its output is printed. Exit code 1 when it did not succeed. No shell: words are passed as they are.",
      )
      .argument("<command...>", "the command and its arguments; options of blixard go before it")
      .passThroughOptions()
      .option("--id <id>", "its name; one is made up unless given")
      .option("--vcpus <n>", "virtual CPUs that it needs (default: 1)", parseCount)
      .option("--memory <MiB>", "memory that it needs in MiB (default: 256)", parseCount)
      .option("--disk <GiB>", "disk that it needs in GiB (default: 0)", parseCount)
      .option("--feature <name>", "what its worker must offer; may be repeated", collect)
      .option("--tenant <name>", "whose it is")
      .addOption(
        new Option("--time-limit <time>", "how long one attempt may take")
          .argParser(parseDurationMs)
          .default(3_600_000, "1h"),
      )
      .option("--attempts <n>", "how often it is tried (default: 1)", parseCount),
    "it is over",
    { ms: 86_400_000, text: "1d" },
  ).action(async (words: readonly string[], options: SubmitOptions) => {
    const [command = "", ...args] = words;
    const id = options.id ?? `task-${randomBytes(4).toString("hex")}`;
    const request = {
      id,
      command,
      args,
      resources: {
        ...(options.vcpus === undefined ? {} : { vcpus: options.vcpus }),
        ...(options.memory === undefined ? {} : { memoryMiB: options.memory }),
        ...(options.disk === undefined ? {} : { diskGiB: options.disk }),
      },
      features: [...(options.feature ?? [])],
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      timeoutMs: options.timeLimit,
      ...(options.attempts === undefined ? {} : { attemptsMax: options.attempts }),
    };
    await withNode(options, async (api) => {
      const timeoutMs = Math.min(options.timeout, QUESTION_MS);
      const answer = await api.write("task.submit", request, { timeoutMs });
      const said = `task ${id} submitted: log index ${answer.index}, term ${answer.term}`;
      if (options.wait === false) {
        terminal.out(options.json === true ? JSON.stringify({ id, ...answer }) : said);
        return;
      }
      terminal.err(said);
      const ended = await untilOver(api, id, options, session);
      if (ended === null) return;
      if (options.json === true) terminal.out(JSON.stringify({ ...answer, ...ended }));
      else if (ended.output !== "") terminal.out(ended.output.replace(/\n$/, ""));
      if (ended.state !== "Succeeded") terminal.err(stateWords(ended));
      session.end(ended.state === "Succeeded" ? EXIT.holds : EXIT.failed);
    });
  });
}

/** Null: the wait was interrupted. @throws FailureError when the task is not over in time */
async function untilOver(api: ApiClient, id: string, options: WaitOptions, session: Session): Promise<Task | null> {
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  const timeoutMs = Math.min(options.timeout, QUESTION_MS);
  let how = `task ${id} is not seen yet`;
  const ended = await untilSeen<Task>(
    async () => {
      const { task } = await api.read("task.show", { id }, { timeoutMs });
      if (isOver(task)) return task;
      how = stateWords(task);
      progress(`${how} ...`);
      return null;
    },
    performance.now() + options.timeout,
    interrupt.signal,
  );
  session.terminal.progress("");
  switch (ended.kind) {
    case "seen":
      return ended.result;
    case "timedOut":
      throw new FailureError(
        `after all this time ${how}`,
        `it goes on: \`blixard task show ${id}\` says how it is, \`blixard task cancel ${id}\` ends it`,
      );
    case "interrupted":
      session.terminal.err(`task ${id} goes on: \`blixard task cancel ${id}\` ends it`);
      session.end(interrupt.exitCode);
      return null;
  }
}
