/** A VM's specification on the command line: a file, and flags that override it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { RequestOf } from "../../../runtime-real/index.ts";
import { readJson, readText } from "../../files/index.ts";
import { collect, FailureError, parseCount, parseNodeId, UsageError } from "../../frame/index.ts";

export type Spec = NonNullable<RequestOf<"vm.create">["spec"]>;

type Network = NonNullable<Spec["networks"]>[number];

export interface SpecFlags {
  readonly file?: string;
  readonly vcpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly hypervisor?: NonNullable<Spec["hypervisor"]>;
  readonly tenant?: string;
  readonly priority?: number;
  readonly preemptible?: boolean;
  readonly image?: string;
  readonly nixModule?: string;
  readonly feature?: readonly string[];
  readonly network?: readonly Network[];
  readonly worker?: number;
  readonly onWorkerLost?: NonNullable<Spec["onWorkerLost"]>;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function withSpecOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "a specification as TOML or JSON; flags go before it")
    .option("--vcpus <n>", "virtual CPUs", parseCount)
    .option("--memory <MiB>", "memory in MiB", parseCount)
    .option("--disk <GiB>", "disk in GiB", parseCount)
    .addOption(new Option("--hypervisor <name>", "what runs it").choices(["qemu", "cloud-hypervisor", "firecracker"]))
    .option("--tenant <name>", "whose it is")
    .option("--priority <n>", "0 to 1000; higher goes first", parseCount)
    .option("--preemptible", "it may be stopped for one of higher priority (the default)")
    .option("--no-preemptible", "it is never stopped for another")
    .option("--image <image>", "the disk image to boot")
    .option("--nix-module <file>", "a NixOS module for the guest")
    .option("--feature <name>", "what its worker must offer; may be repeated", collect)
    .option(
      "--network <pool>",
      "an address pool that it gets an address from, or any: for whichever the cluster chooses, any:TAG,TAG of those with all the tags; may be repeated",
      collectNetwork,
    )
    .option("--worker <n>", "the only worker that may run it", parseNodeId)
    .addOption(
      new Option("--on-worker-lost <what>", "run it elsewhere, or wait for its worker").choices(["restart", "wait"]),
    )
    .option("--metadata <key=value>", "a note; may be repeated", collectPair);
}

const OPEN = "any:";

/** No pool's name contains a colon. */
function collectNetwork(text: string, earlier: readonly Network[] = []): readonly Network[] {
  if (!text.startsWith(OPEN)) return [...earlier, { pool: text }];
  const tags = text.slice(OPEN.length);
  return [...earlier, { pool: null, tags: tags === "" ? [] : tags.split(",") }];
}

function collectPair(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give KEY=VALUE.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** The specification from the file and the flags, which the node checks, and the name in the file. */
export async function specOf(flags: SpecFlags): Promise<{ readonly name: string | null; readonly spec: Spec }> {
  const { name = null, ...fromFile } = flags.file === undefined ? {} : await readSpec(flags.file);
  if (name !== null && typeof name !== "string")
    throw new FailureError(`${flags.file}: its name is no text`, 'write name = "web"');
  if (flags.image !== undefined && flags.nixModule !== undefined)
    throw new UsageError("a VM boots from --image or from --nix-module", "give one of them");
  const spec: Spec = {
    ...fromFile,
    ...(flags.vcpus === undefined ? {} : { vcpus: flags.vcpus }),
    ...(flags.memory === undefined ? {} : { memoryMiB: flags.memory }),
    ...(flags.disk === undefined ? {} : { diskGiB: flags.disk }),
    ...(flags.hypervisor === undefined ? {} : { hypervisor: flags.hypervisor }),
    ...(flags.tenant === undefined ? {} : { tenant: flags.tenant }),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.preemptible === undefined ? {} : { preemptible: flags.preemptible }),
    ...(flags.image === undefined ? {} : { source: { kind: "image", image: flags.image } }),
    ...(flags.nixModule === undefined ? {} : { source: { kind: "nixModule", nixModule: readText(flags.nixModule) } }),
    ...(flags.feature === undefined ? {} : { features: [...flags.feature] }),
    ...(flags.network === undefined ? {} : { networks: [...flags.network] }),
    ...(flags.worker === undefined ? {} : { workerId: flags.worker }),
    ...(flags.onWorkerLost === undefined ? {} : { onWorkerLost: flags.onWorkerLost }),
    ...(flags.metadata === undefined ? {} : { metadata: { ...fromFile.metadata, ...flags.metadata } }),
  };
  return { name, spec };
}

/** The fields of a specification, and the name if there is one. */
type Described = Spec & { readonly name?: unknown };

async function readSpec(path: string): Promise<Described> {
  if (!path.endsWith(".toml"))
    return readJson(path, asDescribed, 'give a JSON object with fields of a VM\'s specification, such as {"vcpus": 2}');
  const text = readText(path);
  const { parse, TomlError } = await import("smol-toml");
  try {
    return asDescribed(parse(text));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.split("\n");
    throw new FailureError(`${path}, line ${error.line}, column ${error.column}: ${what}`, "see https://toml.io");
  }
}

function asDescribed(value: unknown): Described {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no JSON object");
  return value;
}
