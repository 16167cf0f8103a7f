/** `blixard quota`: what each tenant may have and how fast it may ask, and what it has. */
import type { Command } from "commander";
import type { AnswerOf, RequestOf } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, parseCount, type Session, UsageError, withExamples } from "../frame/index.ts";
import { bar, count, fitTable, type Paint, table } from "../output/index.ts";

type Tenant = AnswerOf<"quota.list">["tenants"][number];
type Quota = NonNullable<Tenant["quota"]>;

export const registerQuota: CommandGroup = (program, session) => {
  const quota = withExamples(program.command("quota"), [
    "blixard quota set acme --vms 10 --memory 65536",
    "blixard quota usage",
  ]).description("Limit tenants, and see what they use.");
  registerSet(quota, session);
  registerGet(quota, session);
  registerList(quota, session);
  registerUsage(quota, session);
};

interface SetOptions extends ClientOptions {
  readonly vms?: number;
  readonly vcpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly vmsPerWorker?: number;
  readonly createsPerMinute?: number;
  readonly deletesPerMinute?: number;
  readonly requestsPerSecond?: number;
  readonly requestsBurst?: number;
  readonly none?: true;
}

function registerSet(quota: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(quota.command("set"), [
      "blixard quota set acme --vms 10 --memory 65536",
      "blixard quota set acme --none",
    ])
      .description(
        "Limit a tenant. What is not given stays as it was, or as `blixard quota get` shows it for a tenant that had no quota: the defaults. What it has already stays.",
      )
      .argument("<tenant>", "whom")
      .option("--vms <n>", "VMs", parseCount)
      .option("--vcpus <n>", "virtual CPUs in all", parseCount)
      .option("--memory <MiB>", "memory in all", parseCount)
      .option("--disk <GiB>", "disk in all", parseCount)
      .option("--vms-per-worker <n>", "VMs on one worker", parseCount)
      .option("--creates-per-minute <n>", "VMs asked for in a minute", parseCount)
      .option("--deletes-per-minute <n>", "VMs deleted in a minute", parseCount)
      .option("--requests-per-second <n>", "changes of its VMs and tasks in a second", parseCount)
      .option("--requests-burst <n>", "how many of them at once", parseCount)
      .option("--none", "no limits any more"),
  ).action(async (tenant: string, options: SetOptions) => {
    const changes = changesOf(options);
    const isNone = options.none === true;
    if (isNone === Object.keys(changes).length > 0)
      throw new UsageError(
        isNone ? "--none takes all limits away" : "there is nothing to set",
        "give limits such as --vms 10, or --none alone",
      );
    const { timeout: timeoutMs } = options;
    const { answer, wanted } = await withNode(options, async (api) => {
      const { quota: before } = await api.read("quota.get", { tenant }, { timeoutMs });
      const wanted = isNone ? null : { ...before, ...changes };
      return { answer: await api.write("quota.set", { tenant, quota: wanted }, { timeoutMs }), wanted };
    });
    if (options.json === true) terminal.out(JSON.stringify({ tenant, ...answer }));
    else {
      const what = wanted === null ? "has no limits any more" : "is limited";
      terminal.out(`tenant ${tenant} ${what}: log index ${answer.index}, term ${answer.term}`);
    }
  });
}

function changesOf(options: SetOptions): NonNullable<RequestOf<"quota.set">["quota"]> {
  return {
    ...(options.vms === undefined ? {} : { vms: options.vms }),
    ...(options.vcpus === undefined ? {} : { vcpus: options.vcpus }),
    ...(options.memory === undefined ? {} : { memoryMiB: options.memory }),
    ...(options.disk === undefined ? {} : { diskGiB: options.disk }),
    ...(options.vmsPerWorker === undefined ? {} : { vmsPerWorker: options.vmsPerWorker }),
    ...(options.createsPerMinute === undefined ? {} : { createsPerMinute: options.createsPerMinute }),
    ...(options.deletesPerMinute === undefined ? {} : { deletesPerMinute: options.deletesPerMinute }),
    ...(options.requestsPerSecond === undefined ? {} : { requestsPerSecond: options.requestsPerSecond }),
    ...(options.requestsBurst === undefined ? {} : { requestsBurst: options.requestsBurst }),
  };
}

function registerGet(quota: Command, { terminal }: Session): void {
  withClientOptions(withExamples(quota.command("get"), ["blixard quota get acme"]))
    .description("One tenant's limits, and what it has.")
    .argument("<tenant>", "whose")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (tenant: string, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.get", { tenant, stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderTenant(answer, terminal.paintOut)) terminal.out(line);
    });
}

const RESOURCES = [
  { key: "vms", name: "VMs" },
  { key: "vcpus", name: "vCPUs" },
  { key: "memoryMiB", name: "memory MiB" },
  { key: "diskGiB", name: "disk GiB" },
] as const;

const BAR = 20;

export function renderTenant({ tenant, quota, usage }: Tenant, paint: Paint): string[] {
  const rows = RESOURCES.map(({ key, name }) => [
    name,
    count(usage[key]),
    quota === null ? "-" : count(quota[key]),
    quota === null ? "" : bar(usage[key], quota[key], BAR, paint),
  ]);
  const lines = [
    `tenant ${tenant}${quota === null ? " has no quota: it is not limited" : ""}`,
    "",
    ...table("<>><", [["", "HAS", "MAY HAVE", ""], ...rows]),
  ];
  if (quota !== null) lines.push("", ...ratesOf(quota));
  return lines;
}

function ratesOf(quota: Quota): string[] {
  return table("<>", [
    ["VMs on one worker", count(quota.vmsPerWorker)],
    ["creates a minute", count(quota.createsPerMinute)],
    ["deletes a minute", count(quota.deletesPerMinute)],
    ["changes a second", count(quota.requestsPerSecond)],
    ["changes at once", count(quota.requestsBurst)],
  ]);
}

function registerList(quota: Command, { terminal }: Session): void {
  withClientOptions(withExamples(quota.command("list"), ["blixard quota list"]))
    .description("The limits of all tenants that have any.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      const limited = answer.tenants.filter(({ quota: limits }) => limits !== null);
      if (options.json === true) terminal.out(JSON.stringify({ index: answer.index, tenants: limited }));
      else if (limited.length === 0)
        terminal.err("no tenant is limited; `blixard quota set TENANT --vms 10` limits one");
      else for (const line of renderQuotas(limited, terminal.columns)) terminal.out(line);
    });
}

export function renderQuotas(tenants: readonly Tenant[], columns: number): string[] {
  const rows = tenants.flatMap(({ tenant, quota }) =>
    quota === null
      ? []
      : [
          [
            tenant,
            count(quota.vms),
            count(quota.vmsPerWorker),
            count(quota.vcpus),
            count(quota.memoryMiB),
            count(quota.diskGiB),
            `${count(quota.createsPerMinute)}/min`,
            `${count(quota.deletesPerMinute)}/min`,
            `${count(quota.requestsPerSecond)}/s`,
          ],
        ],
  );
  const head = ["TENANT", "VMS", "A WORKER", "VCPUS", "MIB", "DISK GIB", "CREATES", "DELETES", "CHANGES"];
  return fitTable("<>>>>>>>>", [head, ...rows], columns);
}

function registerUsage(quota: Command, { terminal }: Session): void {
  withClientOptions(withExamples(quota.command("usage"), ["blixard quota usage", "blixard quota usage acme"]))
    .description("What tenants have, and how much of what they may have that is.")
    .argument("[tenant]", "only this one")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (tenant: string | undefined, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      const tenants = answer.tenants.filter((one) => tenant === undefined || one.tenant === tenant);
      if (options.json === true) terminal.out(JSON.stringify({ index: answer.index, tenants }));
      else if (tenants.length === 0)
        terminal.err(tenant === undefined ? "no tenant has anything" : `tenant ${tenant} has nothing, and no quota`);
      else for (const line of renderUsage(tenants, terminal.paintOut, terminal.columns)) terminal.out(line);
    });
}

const LIST_BAR = 4;

export function renderUsage(tenants: readonly Tenant[], paint: Paint, columns: number): string[] {
  const rows = tenants.map(({ tenant, quota, usage }) => [
    tenant,
    ...RESOURCES.flatMap(({ key }) => [
      count(usage[key]),
      quota === null ? "no limit" : bar(usage[key], quota[key], LIST_BAR, paint),
    ]),
  ]);
  const head = ["TENANT", "VMS", "", "VCPUS", "", "MIB", "", "DISK GIB", ""];
  return fitTable("<><><><><", [head, ...rows], columns);
}
