/** A VM's specification on the command line: a file, and flags that override it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { RequestOf } from "../../../runtime-real/index.ts";
import { readJson, readText } from "../../files/index.ts";
import { FailureError, parseCount, parseNodeId, UsageError } from "../../frame/index.ts";

export type Spec = NonNullable<RequestOf<"vm.create">["spec"]>;

type Network = NonNullable<Spec["networks"]>[number];

/** A flag for a field of the specification. A new flag is one entry of the table. */
interface SpecFlag {
  readonly field: keyof Spec;
  readonly flags: string;
  /** For the help. A test holds bounds and `fallback` against the field's definition. */
  readonly about: string;
  /** The default of the field, shown by commands that make a VM. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  /** @param earlier what the flags before it say */
  readonly read: (text: string, earlier: Spec) => Spec;
}

const HYPERVISORS = ["qemu", "cloud-hypervisor", "firecracker"] as const;
const ON_WORKER_LOST = ["restart", "wait"] as const;

export const SPEC_FLAGS: readonly SpecFlag[] = [
  {
    field: "vcpus",
    flags: "--vcpus <n>",
    about: "virtual CPUs, 1 to 1,024",
    fallback: "2",
    read: (text) => ({ vcpus: parseCount(text) }),
  },
  {
    field: "memoryMiB",
    flags: "--memory <MiB>",
    about: "memory in MiB, 1 to 16,777,216",
    fallback: "1,024",
    read: (text) => ({ memoryMiB: parseCount(text) }),
  },
  {
    field: "diskGiB",
    flags: "--disk <GiB>",
    about: "disk in GiB, 0 to 1,048,576",
    fallback: "5",
    read: (text) => ({ diskGiB: parseCount(text) }),
  },
  {
    field: "hypervisor",
    flags: "--hypervisor <name>",
    about: "what runs it",
    fallback: "cloud-hypervisor",
    choices: HYPERVISORS,
    read: (text) => ({ hypervisor: oneOf(HYPERVISORS, text) }),
  },
  {
    field: "tenant",
    flags: "--tenant <name>",
    about: "whose it is",
    fallback: "default",
    read: (text) => ({ tenant: text }),
  },
  {
    field: "priority",
    flags: "--priority <n>",
    about: "0 to 1,000; higher goes first",
    fallback: "500",
    read: (text) => ({ priority: parseCount(text) }),
  },
  {
    field: "preemptible",
    flags: "--preemptible",
    about: "it may be stopped for one of higher priority",
    fallback: "true",
    read: () => ({ preemptible: true }),
  },
  {
    field: "preemptible",
    flags: "--no-preemptible",
    about: "it is never stopped for another",
    read: () => ({ preemptible: false }),
  },
  {
    field: "source",
    flags: "--image <image>",
    about: "the disk image to boot",
    read: (text, { source }) => onlySource({ kind: "image", image: text }, source),
  },
  {
    field: "source",
    flags: "--nix-module <file>",
    about: "a NixOS module for the guest",
    // The name of the file, until the command runs.
    read: (text, { source }) => onlySource({ kind: "nixModule", nixModule: text }, source),
  },
  {
    field: "features",
    flags: "--feature <name>",
    about: "what its worker must offer; may be repeated",
    read: (text, { features = [] }) => ({ features: [...features, text] }),
  },
  {
    field: "networks",
    flags: "--network <pool>",
    about:
      "an address pool that it gets an address from, or any: for whichever the cluster chooses, any:TAG,TAG of " +
      "those with all the tags; may be repeated",
    read: (text, { networks = [] }) => ({ networks: [...networks, networkOf(text)] }),
  },
  {
    field: "workerId",
    flags: "--worker <n>",
    about: "the only worker that may run it",
    read: (text) => ({ workerId: parseNodeId(text) }),
  },
  {
    field: "onWorkerLost",
    flags: "--on-worker-lost <what>",
    about: "run it elsewhere, or wait for its worker",
    fallback: "restart",
    choices: ON_WORKER_LOST,
    read: (text) => ({ onWorkerLost: oneOf(ON_WORKER_LOST, text) }),
  },
  {
    field: "metadata",
    flags: "--metadata <key=value>",
    about: "a note; may be repeated",
    read: (text, { metadata }) => ({ metadata: { ...metadata, ...pairOf(text) } }),
  },
];

export interface SpecFlags {
  readonly file?: string;
  /** All flags together. */
  readonly spec?: Spec;
}

/** All flags of the specification share one value. */
class SpecOption extends Option {
  override attributeName(): keyof SpecFlags {
    return "spec";
  }
}

/** @param shown.defaults whether what is not given gets its default, which the help then shows */
export function withSpecOptions(command: Command, shown: { readonly defaults: boolean }): Command {
  command.option("-f, --file <file>", "a specification as TOML or JSON; flags go before it");
  for (const { flags, about, fallback, choices, read } of SPEC_FLAGS) {
    const isShown = shown.defaults && fallback !== undefined;
    const option = new SpecOption(flags, isShown ? `${about} (default: ${fallback})` : about);
    if (choices !== undefined) option.choices(choices);
    command.addOption(option.argParser((text, earlier: Spec = {}) => ({ ...earlier, ...read(text, earlier) })));
  }
  return command;
}

function oneOf<Choice extends string>(choices: readonly Choice[], text: string): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  return chosen;
}

function onlySource(source: NonNullable<Spec["source"]>, earlier: Spec["source"]): Spec {
  if (earlier !== undefined && earlier?.kind !== source.kind)
    throw new UsageError("a VM boots from --image or from --nix-module", "give one of them");
  return { source };
}

const OPEN = "any:";

/** No pool's name contains a colon. */
function networkOf(text: string): Network {
  if (!text.startsWith(OPEN)) return { pool: text };
  const tags = text.slice(OPEN.length);
  return { pool: null, tags: tags === "" ? [] : tags.split(",") };
}

function pairOf(text: string): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give KEY=VALUE.");
  return { [text.slice(0, at)]: text.slice(at + 1) };
}

/** The specification from the file and the flags, which the node checks, and the name in the file. */
export async function specOf({
  file,
  spec: flags = {},
}: SpecFlags): Promise<{ readonly name: string | null; readonly spec: Spec }> {
  const { name = null, ...fromFile } = file === undefined ? {} : await readSpec(file);
  if (name !== null && typeof name !== "string")
    throw new FailureError(`${file}: its name is no text`, 'write name = "web"');
  const { source, metadata } = flags;
  const spec: Spec = {
    ...fromFile,
    ...flags,
    ...(source?.kind === "nixModule" ? { source: { ...source, nixModule: readText(source.nixModule) } } : {}),
    ...(metadata === undefined ? {} : { metadata: { ...fromFile.metadata, ...metadata } }),
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
