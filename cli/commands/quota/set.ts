import type { Command } from "commander";
import type { RequestOf } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { parseCount, type Session, UsageError, withExamples } from "../../frame/index.ts";

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

export function registerSet(quota: Command, { terminal }: Session): void {
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
