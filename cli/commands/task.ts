/** `blixard task`: commands that run to completion on a worker that has the room. */
import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import {
  type ClientOptions,
  progressTo,
  QUESTION_MS,
  untilSeen,
  type WaitOptions,
  withClientOptions,
  withNode,
  withWaitOptions,
} from "../client/index.ts";
import {
  type CommandGroup,
  collect,
  EXIT,
  FailureError,
  parseCount,
  parseDurationMs,
  type Session,
  withExamples,
} from "../frame/index.ts";
import { duration, fitTable, formatTime, size, table } from "../output/index.ts";

type Task = AnswerOf<"task.show">["task"];

export const registerTask: CommandGroup = (program, session) => {
  const task = withExamples(program.command("task"), [
    "blixard task submit --vcpus 2 /usr/bin/make all",
    "blixard task list",
  ])
    .description("Run commands to completion on workers.")
    .enablePositionalOptions();
  registerSubmit(task, session);
  registerList(task, session);
  registerShow(task, session);
  registerCancel(task, session);
};

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

function registerSubmit(task: Command, session: Session): void {
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

/** Null: nobody waits any more. @throws FailureError when it is not over in time */
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

function isOver({ state }: Task): boolean {
  return state !== "Pending" && state !== "Running";
}

function stateWords(task: Task): string {
  const { id, state, attempt, attemptsMax, workerId } = task;
  const where = workerId === null ? "" : ` on worker ${workerId}`;
  const again = attempt > 0 && attemptsMax > 1 ? `, attempt ${attempt} of ${attemptsMax}` : "";
  const why = whyWords(task);
  return `task ${id} is ${state}${where}${again}${why === "" ? "" : `: ${why}`}`;
}

/** What the state says of it; of one that waits for its worker, what it waits for. */
function whyWords({ state, reason, resources, features }: Task): string {
  if (state !== "Pending") return reason;
  const offers = features.length === 0 ? "" : ` that offers ${features.join(", ")}`;
  const waits = `waits for a worker${offers} with ${size(resources)} free`;
  return reason === "" ? waits : `${reason}; ${waits}`;
}

function registerList(task: Command, { terminal }: Session): void {
  withClientOptions(withExamples(task.command("list"), ["blixard task list", "blixard task list --json"]))
    .description("List tasks by id. One that is over stays until it is cancelled.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
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
  options: ClientOptions & { readonly stale?: true },
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

function registerShow(task: Command, { terminal }: Session): void {
  withClientOptions(withExamples(task.command("show"), ["blixard task show backup-7"]))
    .description("One task, with the end of what it printed.")
    .argument("<task>", "its id")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (id: string, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("task.show", { id, stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderTask(answer.task)) terminal.out(line);
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

/** A word as a shell would have to be given it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function registerCancel(task: Command, { terminal }: Session): void {
  withClientOptions(withExamples(task.command("cancel"), ["blixard task cancel backup-7"]))
    .description("End a task; forget one that is over.")
    .argument("<task>", "its id")
    .action(async (id: string, options: ClientOptions) => {
      const answer = await withNode(options, (api) => api.write("task.cancel", { id }, { timeoutMs: options.timeout }));
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
      else terminal.out(`task ${id} is cancelled: log index ${answer.index}, term ${answer.term}`);
    });
}
