import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { count, fitTable } from "../../output/index.ts";
import { withoutDriver } from "./driver.ts";
import type { Vm } from "./names.ts";
import { isWaitingForPlace, whyWords } from "./why.ts";

export type ListOptions = ReadOptions & { readonly tenant?: string };

export function registerList(vm: Command, { terminal }: Session): void {
  withReadOptions(withExamples(vm.command("list"), ["blixard vm list", "blixard vm list --tenant acme --json"]))
    .description("List VMs by name.")
    .option("--tenant <name>", "only this tenant's")
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
