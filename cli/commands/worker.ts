/** `blixard worker`: hosts that run machines. */
import type { Command } from "commander";
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
import { type CommandGroup, FailureError, parseNodeId, type Session, withExamples } from "../frame/index.ts";
import { bar, cost, count, fitTable, type Paint, plural, table } from "../output/index.ts";
import { confirm } from "./cluster.ts";
import { reserveOf, whyNowhere, whyWords } from "./vm/index.ts";

type Worker = AnswerOf<"worker.show">["worker"];
type Shown = AnswerOf<"worker.show">;

export const registerWorker: CommandGroup = (program, session) => {
  const worker = withExamples(program.command("worker"), ["blixard worker list", "blixard worker drain 2"]).description(
    "Look at the hosts that run machines, and take them out of service.",
  );
  registerList(worker, session);
  registerShow(worker, session);
  registerDrain(worker, session);
  registerCordon(worker, session);
  registerUncordon(worker, session);
  registerConfirmDead(worker, session);
  registerRemove(worker, session);
};

function registerList(worker: Command, { terminal }: Session): void {
  withClientOptions(withExamples(worker.command("list"), ["blixard worker list", "blixard worker list --json"]))
    .description("All workers: how they are, and how full.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("worker.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else if (answer.workers.length === 0)
        terminal.err("there are no workers yet: a node becomes one by itself a moment after it has started");
      else for (const line of renderWorkers(answer.workers, terminal.paintOut, terminal.columns)) terminal.out(line);
    });
}

const LIST_BAR = 4;
const SHOW_BAR = 11;

export function renderWorkers(workers: readonly Worker[], paint: Paint, columns: number): string[] {
  // Where nobody has said where hosts stand there is nothing to read.
  const isPlaced = workers.some(({ topology }) => Object.values(topology).some((name) => name !== "default"));
  const rows = workers.map((worker) => [
    `${worker.id}`,
    statusWord(worker, paint),
    worker.driver ?? "none",
    ...RESOURCES.map(({ key }) => bar(takenOf(worker, key), worker.promisable[key], LIST_BAR, paint)),
    `${worker.vmCount}`,
    `${worker.taskCount}`,
    ...(isPlaced ? [placeWords(worker)] : []),
  ]);
  const head = ["WORKER", "STATUS", "DRIVER", "VCPUS", "MEMORY", "DISK", "VMS", "TASKS"];
  const lines = fitTable("><<<<<>><", [[...head, ...(isPlaced ? ["PLACE"] : [])], ...rows], columns);
  const idle = workers.filter(({ driver }) => driver === null).length;
  if (idle > 0)
    lines.push(
      "",
      `${idle === workers.length ? "No worker has" : `${plural(idle, "worker")} without`} a VM driver: VMs placed there stay Scheduled.`,
    );
  return lines;
}

const RESOURCES = [
  { key: "vcpus", name: "vCPUs" },
  { key: "memoryMiB", name: "memory MiB" },
  { key: "diskGiB", name: "disk GiB" },
] as const;

type ResourceKey = (typeof RESOURCES)[number]["key"];

/** Used, and kept for VMs that are to come. */
function takenOf({ used, reserved }: Worker, key: ResourceKey): number {
  return used[key] + reserved[key];
}

const COLOURS = { online: "green", cordoned: "yellow", draining: "yellow", offline: "red" } as const;

function statusWord({ status }: Worker, paint: Paint): string {
  return paint(COLOURS[status], status);
}

function placeWords({ topology: { datacenter, zone, rack } }: Worker): string {
  return `${datacenter}/${zone}/${rack}`;
}

function registerShow(worker: Command, { terminal }: Session): void {
  withClientOptions(withExamples(worker.command("show"), ["blixard worker show 2"]))
    .description("One worker: what it has, what of that is taken, and what runs there.")
    .argument("<worker>", "its number", parseNodeId)
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (id: number, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("worker.show", { id, stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderWorker(answer, terminal.paintOut, terminal.columns)) terminal.out(line);
    });
}

export function renderWorker({ worker, vms, tasks }: Shown, paint: Paint, columns: number): string[] {
  const { id, driver, features, topology, costPerHour } = worker;
  const lines = table("<<", [
    ["worker", `${id}, ${statusWord(worker, paint)}${STATUS_NOTES[worker.status]}`],
    ["driver", driver ?? paint("yellow", "none: VMs placed here stay Scheduled")],
    ["place", `datacenter ${topology.datacenter}, zone ${topology.zone}, rack ${topology.rack}`],
    ["features", features.length === 0 ? "-" : features.join(", ")],
    ["cost", costPerHour === 0 ? "-" : `${cost(costPerHour)} an hour`],
  ]);
  lines.push(
    "",
    ...table("<<>>>>>>", [
      ["", "TAKEN", "USED", "KEPT", "FREE", "MAY PROMISE", "RESERVE", "HAS"],
      ...RESOURCES.map(({ key, name }) => [
        name,
        bar(takenOf(worker, key), worker.promisable[key], SHOW_BAR, paint),
        count(worker.used[key]),
        count(worker.reserved[key]),
        count(Math.max(0, worker.promisable[key] - takenOf(worker, key))),
        count(worker.promisable[key]),
        count(reserveOf(worker, key)),
        count(worker.capacity[key]),
      ]),
    ]),
    ...RESOURCES.flatMap(({ key, name }) => reserveHint(worker, key, name)),
  );
  if (vms.length > 0) {
    const rows = vms.map((vm) => [
      vm.name,
      vm.tenant,
      vm.state,
      count((vm.placed ?? vm.spec).vcpus),
      count((vm.placed ?? vm.spec).memoryMiB),
      whyWords(vm, () => driver === null),
    ]);
    lines.push("", ...fitTable("<<<>><", [["VM", "TENANT", "STATE", "VCPUS", "MIB", "WHY"], ...rows], columns));
  }
  if (tasks.length > 0) {
    const rows = tasks.map(({ id: task, tenant, state, attempt, attemptsMax, command, args }) => [
      task,
      tenant,
      state,
      `${attempt} of ${attemptsMax}`,
      [command, ...args].join(" "),
    ]);
    lines.push("", ...fitTable("<<<<<", [["TASK", "TENANT", "STATE", "ATTEMPT", "COMMAND"], ...rows], columns));
  }
  if (vms.length + tasks.length === 0) lines.push("", "nothing is placed here");
  return lines;
}

/** Whole units are promised: the reserve of a small host may leave less than one. */
function reserveHint(worker: Worker, key: ResourceKey, name: string): string[] {
  if (worker.promisable[key] > 0 || worker.capacity[key] === 0) return [];
  return [
    "",
    `${name}: the reserve leaves nothing of ${count(worker.capacity[key])} to promise, so no VM fits here;`,
    "`blixard scheduler set --reserve` and its overcommit change that, for all workers",
  ];
}

const STATUS_NOTES = {
  online: "",
  cordoned: ": takes nothing new",
  draining: ": what is here moves elsewhere",
  offline: ": not heard of for longer than its lease",
} as const;

// ---- Drain

function registerDrain(worker: Command, session: Session): void {
  const { terminal } = session;
  withWaitOptions(
    withExamples(worker.command("drain"), ["blixard worker drain 2", "blixard worker drain 2 --no-wait"])
      .description(
        "Move what is on a worker elsewhere, a few VMs at a time, and wait until all of it is seen gone. Ctrl-C ends the waiting, not the drain; the same command looks on.",
      )
      .argument("<worker>", "its number", parseNodeId),
    "it is empty",
    { ms: 86_400_000, text: "1d" },
  ).action(async (id: number, options: WaitOptions) => {
    await withNode(options, async (api) => {
      const timeoutMs = Math.min(options.timeout, QUESTION_MS);
      const answer = await api.write("worker.drain", { id }, { timeoutMs });
      if (options.wait === false) {
        if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
        else terminal.out(`worker ${id} is being drained: log index ${answer.index}, term ${answer.term}`);
        return;
      }
      const drained = await untilEmpty(api, id, options, session);
      if (drained === null) return;
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer, ...drained }));
      else {
        terminal.out(
          `worker ${id} is empty: ${leftWords(drained)}; it takes nothing new until \`blixard worker uncordon ${id}\``,
        );
      }
    });
  });
}

function leftWords({ vms, tasks }: { readonly vms: number; readonly tasks: number }): string {
  const parts = [...(vms === 0 ? [] : [plural(vms, "VM")]), ...(tasks === 0 ? [] : [plural(tasks, "task")])];
  if (parts.length === 0) return "nothing was there";
  return `${parts.join(" and ")} ${vms + tasks === 1 ? "has" : "have"} left`;
}

/** How many VMs and tasks have left meanwhile; null: nobody waits any more. @throws FailureError when it is not empty in time */
async function untilEmpty(
  api: ApiClient,
  id: number,
  options: WaitOptions,
  session: Session,
): Promise<{ readonly vms: number; readonly tasks: number } | null> {
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  const timeoutMs = Math.min(options.timeout, QUESTION_MS);
  let first: Worker | null = null;
  let left = "";
  const ended = await untilSeen<{ readonly vms: number; readonly tasks: number }>(
    async () => {
      const shown = await api.read("worker.show", { id }, { timeoutMs });
      const { worker } = shown;
      first ??= worker;
      const total = Math.max(first.vmCount + first.taskCount, worker.vmCount + worker.taskCount);
      const now = worker.vmCount + worker.taskCount;
      if (now === 0) return { vms: first.vmCount, tasks: first.taskCount };
      if (worker.status !== "draining" && worker.status !== "offline")
        throw new FailureError(
          `worker ${id} is not drained any more: somebody has made it ${worker.status}`,
          `\`blixard audit\` says who; \`blixard worker drain ${id}\` goes on`,
        );
      left = `${now} of ${total} left`;
      progress(`worker ${id}: ${left}${await drainNote(api, shown, timeoutMs)}`);
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
        `worker ${id} is being drained, and ${left} after all this time`,
        `the drain goes on: \`blixard worker show ${id}\` says what is there, the same command waits again`,
      );
    case "interrupted":
      session.terminal.err(
        `the drain of worker ${id} goes on: ${left}; the same command looks on, \`blixard worker uncordon ${id}\` ends it`,
      );
      session.end(interrupt.exitCode);
      return null;
  }
}

/** What holds it up, as far as can be seen. */
async function drainNote(api: ApiClient, { worker, vms }: Shown, timeoutMs: number): Promise<string> {
  if (worker.status === "offline") return " (the worker is offline: nothing of it can be seen to go)";
  const leaving = vms.filter(({ eviction, desired }) => eviction !== null || desired === "deleted");
  if (leaving.length > 0)
    return `: ${leaving
      .map(({ name, state }) => `${name} ${state}`)
      .slice(0, 3)
      .join(", ")}`;
  const [stuck] = vms;
  if (stuck === undefined) return `: waits for ${plural(worker.taskCount, "task")} to end`;
  // It is where it is: what the others say is why it stays.
  const plan = await api.read("vm.explain", { name: stuck.name }, { timeoutMs }).catch(() => null);
  if (plan === null) return "";
  // A few at a time.
  if (plan.workerId !== null) return ": the next one goes when what was moved runs elsewhere";
  return `: ${stuck.name} finds no other place (${whyNowhere(plan, stuck.spec.workerId).join("; ")})`;
}

// ---- The others

function registerCordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "cordon",
    example: "blixard worker cordon 2",
    description: "Place nothing new on a worker; what is there stays.",
    done: (id) => `worker ${id} is cordoned: it takes nothing new until \`blixard worker uncordon ${id}\``,
    ask: (api, id, timeoutMs) => api.write("worker.cordon", { id }, { timeoutMs }),
  });
}

function registerUncordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "uncordon",
    example: "blixard worker uncordon 2",
    description: "Let a worker take VMs again; ends a drain.",
    done: (id) => `worker ${id} takes VMs again`,
    ask: (api, id, timeoutMs) => api.write("worker.uncordon", { id }, { timeoutMs }),
  });
}

interface Change {
  readonly verb: string;
  readonly example: string;
  readonly description: string;
  readonly done: (id: number) => string;
  readonly ask: (api: ApiClient, id: number, timeoutMs: number) => Promise<AnswerOf<"worker.cordon">>;
}

function changing(worker: Command, { terminal }: Session, { verb, example, description, done, ask }: Change): void {
  withClientOptions(withExamples(worker.command(verb), [example]))
    .description(description)
    .argument("<worker>", "its number", parseNodeId)
    .action(async (id: number, options: ClientOptions) => {
      const answer = await withNode(options, (api) => ask(api, id, options.timeout));
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
      else terminal.out(`${done(id)}: log index ${answer.index}, term ${answer.term}`);
    });
}

function registerConfirmDead(worker: Command, { terminal }: Session): void {
  withClientOptions(withExamples(worker.command("confirm-dead"), ["blixard worker confirm-dead 2 --yes"]))
    .description(
      "Give your word that a worker's host is off, so that its VMs run elsewhere at once. If it is not off, they run twice.",
    )
    .argument("<worker>", "its number", parseNodeId)
    .option("--yes", "do not ask")
    .action(async (id: number, options: ClientOptions & { readonly yes?: true }) => {
      const { timeout: timeoutMs } = options;
      await withNode(options, async (api) => {
        const { worker: now } = await api.read("worker.show", { id }, { timeoutMs });
        const isHeard = now.status === "offline" ? "" : " The cluster HEARS of it, though: it is not off.";
        const what = `${plural(now.vmCount, "VM")} and ${plural(now.taskCount, "task")}`;
        await confirm(
          `Is the host of worker ${id} off, without any doubt?${isHeard} Its ${what} will run elsewhere.`,
          options,
        );
        const answer = await api.write("worker.confirmDead", { id }, { timeoutMs });
        if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
        else
          terminal.out(
            `worker ${id} counts as dead: ${what} may run elsewhere; log index ${answer.index}, term ${answer.term}`,
          );
      });
    });
}

function registerRemove(worker: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(worker.command("remove"), ["blixard worker remove 7", "blixard worker remove 7 --yes"]),
  )
    .description(
      "Take a worker that will never come back off the list, and cut it off for ever. Nothing may be placed there; a member leaves the cluster first.",
    )
    .argument("<worker>", "its number", parseNodeId)
    .option("--yes", "do not ask")
    .action(async (id: number, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Remove worker ${id} for ever? Its id never comes back.`, options);
      const answer = await withNode(options, (api) =>
        api.write("worker.remove", { id }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
      else terminal.out(`worker ${id} is removed: log index ${answer.index}, term ${answer.term}`);
    });
}
