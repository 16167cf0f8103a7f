/** `vm list` and `vm show`. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { count, fitTable, formatTime, plural, size, table } from "../../output/index.ts";
import { showOrSuggest, type Vm } from "./names.ts";
import { type Plan, whyNowhere } from "./plan.ts";
import { isWaitingForPlace, planOfWaiting, whyWords } from "./why.ts";

type ListOptions = ClientOptions & { readonly tenant?: string; readonly stale?: true };

export function registerList(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("list"), ["blixard vm list", "blixard vm list --tenant acme --json"]))
    .description("List VMs by name.")
    .option("--tenant <name>", "only this tenant's")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ListOptions) => {
      const { vms, index, isWithoutDriver } = await withNode(options, async (api) => {
        const listed = await listAll(api, options);
        const isAsked = options.json !== true && listed.vms.some(({ state }) => state === "Scheduled");
        return { ...listed, isWithoutDriver: isAsked ? await withoutDriver(api, options) : () => false };
      });
      if (options.json === true) terminal.out(JSON.stringify({ index, vms }));
      else if (vms.length === 0) terminal.err("there are no VMs; `blixard vm create --name web` asks for one");
      else for (const line of renderVms(vms, isWithoutDriver, terminal.columns)) terminal.out(line);
    });
}

export function renderVms(
  vms: readonly Vm[],
  isWithoutDriver: (workerId: number) => boolean,
  columns: number,
): string[] {
  const rows = vms.map((vm) => [
    vm.name,
    vm.tenant,
    vm.state,
    vm.workerId === null ? "-" : `${vm.workerId}`,
    count(vm.spec.vcpus),
    count(vm.spec.memoryMiB),
    count(vm.spec.diskGiB),
    whyWords(vm, isWithoutDriver),
  ]);
  const head = ["NAME", "TENANT", "STATE", "WORKER", "VCPUS", "MIB", "DISK GIB", "WHY"];
  const lines = fitTable("<<<>>>><", [head, ...rows], columns);
  const waiting = vms.find(isWaitingForPlace);
  if (waiting !== undefined)
    lines.push("", `What keeps a VM from being placed: \`blixard vm show ${waiting.name}\` says it.`);
  return lines;
}

/** Which workers cannot run machines. */
async function withoutDriver(api: ApiClient, { stale, timeout }: ListOptions): Promise<(workerId: number) => boolean> {
  const { workers } = await api.read("worker.list", { stale: stale === true }, { timeoutMs: timeout });
  const ids = new Set(workers.flatMap(({ id, driver }) => (driver === null ? [id] : [])));
  return (workerId) => ids.has(workerId);
}

async function listAll(
  api: ApiClient,
  options: ListOptions,
): Promise<{ readonly index: number; readonly vms: readonly Vm[] }> {
  const vms: Vm[] = [];
  let afterName: string | null = null;
  for (;;) {
    const page: AnswerOf<"vm.list"> = await api.read(
      "vm.list",
      { afterName, tenant: options.tenant ?? null, stale: options.stale === true },
      { timeoutMs: options.timeout },
    );
    vms.push(...page.vms);
    if (page.nextAfterName === null) return { index: page.index, vms };
    afterName = page.nextAfterName;
  }
}

export function registerShow(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("show"), ["blixard vm show web"]))
    .description("Everything about one VM; of one that waits for a place, why it has none.")
    .argument("<vm>", "which VM")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (name: string, options: ClientOptions & { readonly stale?: true }) => {
      const { answer, plan, isWithoutDriver } = await withNode(options, async (api) => {
        const answer = await showOrSuggest(api, name, options);
        const how = { stale: options.stale === true, timeoutMs: options.timeout };
        const plan = options.json === true ? null : await planOfWaiting(api, answer.vm, how);
        const isAsked = options.json !== true && answer.vm.state === "Scheduled";
        return { answer, plan, isWithoutDriver: isAsked ? await withoutDriver(api, options) : () => false };
      });
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderVm(answer.vm, plan, isWithoutDriver)) terminal.out(line);
    });
}

export function renderVm(vm: Vm, plan: Plan | null, isWithoutDriver: (workerId: number) => boolean): string[] {
  const why = whyWords(vm, isWithoutDriver);
  const { spec } = vm;
  const list = (items: readonly string[]): string => (items.length === 0 ? "-" : items.join(", "));
  const source =
    spec.source === null
      ? "the driver's default guest"
      : spec.source.kind === "image"
        ? spec.source.image
        : "a NixOS module";
  return table("<<", [
    ["name", vm.name],
    ["tenant", vm.tenant],
    ["state", `${vm.state}${why === "" ? "" : `: ${why}`} (desired ${vm.desired})`],
    ["worker", placeWords(vm, plan)],
    ["size", size(spec)],
    ["hypervisor", spec.hypervisor],
    ["boots", source],
    ["priority", `${spec.priority}${spec.preemptible ? ", preemptible" : ""}`],
    ["if its worker is lost", spec.onWorkerLost === "restart" ? "runs elsewhere" : "waits for it"],
    ["features", list(spec.features)],
    [
      "addresses",
      list(
        vm.addresses.map(
          ({ pool, address, prefixLength, mac, tap }) =>
            `${address}/${prefixLength} (pool ${pool}, MAC ${mac}, ${tap})`,
        ),
      ),
    ],
    ["volumes", list(spec.volumes.map(({ name, sizeGiB }) => `${name} (${sizeGiB} GiB)`))],
    ["health checks", list(spec.healthChecks.map(({ name }) => name))],
    [
      "recovery",
      `${vm.restarts} of ${spec.recovery.restartsMax} restarts on this worker, ${plural(vm.relocations, "move")} to another`,
    ],
    ["running since", vm.state === "Running" ? formatTime(vm.runningSinceMs) : "-"],
    ["metadata", list(Object.entries(spec.metadata).map(([key, value]) => `${key}=${value}`))],
    ["generation", `${vm.generation}, epoch ${vm.epoch}`],
    ["created", `${formatTime(vm.createdAtMs)} at log index ${vm.createdIndex}`],
    ["changed", `${formatTime(vm.updatedAtMs)} at log index ${vm.updatedIndex}`],
  ]);
}

function placeWords({ workerId, eviction, targetId, spec }: Vm, plan: Plan | null): string {
  if (workerId === null) {
    if (targetId !== null) return `none yet: room is made for it on worker ${targetId}`;
    if (plan === null) return "-";
    if (plan.workerId !== null || plan.preemption !== null) return "none yet";
    return `fits nowhere: ${whyNowhere(plan, spec.workerId).join("; ")}`;
  }
  if (eviction === null) return `${workerId}`;
  return `${workerId}, leaves it (${eviction})${targetId === null ? "" : ` for worker ${targetId}`}`;
}
