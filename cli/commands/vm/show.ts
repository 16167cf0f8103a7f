import type { Command } from "commander";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { formatTime, plural, size, table } from "../../output/index.ts";
import { withoutDriver } from "./driver.ts";
import { type Plan, whyNowhere } from "./explanation.ts";
import { showOrSuggest, type Vm } from "./names.ts";
import { planOfWaiting, whyWords } from "./why.ts";

export function registerShow(vm: Command, { terminal }: Session): void {
  withReadOptions(withExamples(vm.command("show"), ["blixard vm show web"]))
    .description("Everything about one VM; of one that waits for a place, why it has none.")
    .argument("<vm>", "which VM")
    .action(async (name: string, options: ReadOptions) => {
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
