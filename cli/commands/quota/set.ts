import type { Command } from "commander";
import type { RequestOf } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import {
  addFieldOptions,
  flagsOf,
  type OwnFlag,
  type Session,
  UsageError,
  withExamples,
  withLateOptions,
} from "../../frame/index.ts";

type Quota = NonNullable<RequestOf<"quota.set">["quota"]>;

const OWN_FLAGS: readonly OwnFlag<Quota>[] = [
  { field: "memoryMiB", flags: "--memory <MiB>" },
  { field: "diskGiB", flags: "--disk <GiB>" },
];

interface SetOptions extends ClientOptions {
  /** All limits together. */
  readonly quota?: Quota;
  readonly none?: true;
}

export function registerSet(quota: Command, { terminal }: Session): void {
  const command = withClientOptions(
    withExamples(quota.command("set"), [
      "blixard quota set acme --vms 10 --memory 65536",
      "blixard quota set acme --none",
    ])
      .description(
        "Limit a tenant. What is not given stays as it was, or as `blixard quota get` shows it for a tenant that had no quota: the defaults. What it has already stays.",
      )
      .argument("<tenant>", "whom")
      .option("--none", "no limits any more"),
  );
  withLateOptions(command, async () => {
    const { quotaSchema } = await import("../../../core/domain/index.ts");
    const shown = { attribute: "quota", heading: "Limits:", defaults: false };
    addFieldOptions<Quota>(command, flagsOf(quotaSchema, OWN_FLAGS), {}, shown);
  });
  command.action(async (tenant: string, options: SetOptions) => {
    const changes = options.quota ?? {};
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
