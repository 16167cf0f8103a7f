/** `vm list` and `vm show`. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client.ts";
import { formatTime } from "../format.ts";
import { type Session, withExamples } from "../group.ts";
import { fitTable, table } from "../table.ts";
import { showOrSuggest, type Vm } from "./names.ts";
import { type Plan, whyNowhere } from "./plan.ts";

type ListOptions = ClientOptions & { readonly tenant?: string; readonly stale?: true };

export function registerList(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("list"), ["blixard vm list", "blixard vm list --tenant acme --json"]))
    .description("List VMs by name.")
    .option("--tenant <name>", "only this tenant's")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ListOptions) => {
      const { vms, index } = await withNode(options, (api) => listAll(api, options));
      if (options.json === true) {
        terminal.out(JSON.stringify({ index, vms }));
        return;
      }
      if (vms.length === 0) {
        terminal.err("there are no VMs; `blixard vm create --name web` asks for one");
        return;
      }
      const rows = vms.map((each) => [
        each.name,
        each.tenant,
        each.state,
        each.workerId === null ? "-" : `${each.workerId}`,
        `${each.spec.vcpus}`,
        `${each.spec.memoryMiB}`,
        `${each.spec.diskGiB}`,
        `${each.generation}`,
        formatTime(each.updatedAtMs),
        each.reason,
      ]);
      const head = ["NAME", "TENANT", "STATE", "WORKER", "VCPUS", "MIB", "DISK GIB", "GEN", "CHANGED", "WHY"];
      for (const line of fitTable("<<<>>>>><<", [head, ...rows], terminal.columns)) terminal.out(line);
    });
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
      const { answer, plan } = await withNode(options, async (api) => {
        const answer = await showOrSuggest(api, name, options);
        const isWaiting = answer.vm.workerId === null && answer.vm.desired === "running";
        const request = { name, stale: options.stale === true };
        const plan = isWaiting ? await api.read("vm.explain", request, { timeoutMs: options.timeout }) : null;
        return { answer, plan };
      });
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderVm(answer.vm, plan)) terminal.out(line);
    });
}

export function renderVm(vm: Vm, plan: Plan | null): string[] {
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
    ["state", `${vm.state}${vm.reason === "" ? "" : `: ${vm.reason}`} (desired ${vm.desired})`],
    ["worker", placeWords(vm, plan)],
    ["size", `${spec.vcpus} vCPUs, ${spec.memoryMiB} MiB, ${spec.diskGiB} GiB disk`],
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
    ["recovery", `${vm.restarts} of ${spec.recovery.restartsMax} restarts on this worker, ${vm.relocations} moves`],
    ["running since", vm.state === "Running" ? formatTime(vm.runningSinceMs) : "-"],
    ["metadata", list(Object.entries(spec.metadata).map(([key, value]) => `${key}=${value}`))],
    ["generation", `${vm.generation}, epoch ${vm.epoch}`],
    ["created", `${formatTime(vm.createdAtMs)} at log index ${vm.createdIndex}`],
    ["changed", `${formatTime(vm.updatedAtMs)} at log index ${vm.updatedIndex}`],
  ]);
}

function placeWords({ workerId, eviction, targetId }: Vm, plan: Plan | null): string {
  if (workerId === null) {
    if (plan === null) return "-";
    if (plan.workerId !== null || plan.preemption !== null) return "none yet";
    return `fits nowhere: ${whyNowhere(plan).join("; ")}`;
  }
  if (eviction === null) return `${workerId}`;
  return `${workerId}, leaves it (${eviction})${targetId === null ? "" : ` for worker ${targetId}`}`;
}
