/** A VM's specification on the command line: a file, and flags that override it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { RequestOf } from "../../../runtime-real/index.ts";
import { readJson, readText } from "../../files/index.ts";
import {
  addFieldOptions,
  FailureError,
  flagsOf,
  type OwnFlag,
  parseNodeId,
  UsageError,
  withLateOptions,
} from "../../frame/index.ts";

export type Spec = NonNullable<RequestOf<"vm.create">["spec"]>;

type Network = NonNullable<Spec["networks"]>[number];

/** What does not follow from the definition: shorter names, and values that are put together of words. */
export const OWN_FLAGS: readonly OwnFlag<Spec>[] = [
  { field: "memoryMiB", flags: "--memory <MiB>" },
  { field: "diskGiB", flags: "--disk <GiB>" },
  {
    field: "preemptible",
    flags: "--preemptible",
    about: "it may be stopped for one of higher priority",
    read: (_, spec) => ({ ...spec, preemptible: true }),
  },
  {
    field: "preemptible",
    flags: "--no-preemptible",
    about: "it is never stopped for another",
    read: (_, spec) => ({ ...spec, preemptible: false }),
  },
  { field: "features", flags: "--feature <name>" },
  {
    field: "networks",
    flags: "--network <pool>",
    about:
      "an address pool that it gets an address from, or any: for whichever the cluster chooses, any:TAG,TAG of " +
      "those with all the tags; may be repeated",
    read: (text, spec) => ({ ...spec, networks: [...(spec.networks ?? []), networkOf(text)] }),
  },
  {
    field: "source",
    flags: "--image <image>",
    about: "the image to boot, by its digest, or by its name on the host of this node",
    read: (text, spec) => ({ ...spec, source: onlySource({ kind: "image", image: text }, spec.source) }),
  },
  {
    field: "source",
    flags: "--nix-module <file>",
    about: "a NixOS module for the guest",
    // The name of the file, until the command runs.
    read: (text, spec) => ({ ...spec, source: onlySource({ kind: "nixModule", nixModule: text }, spec.source) }),
  },
  {
    field: "metadata",
    flags: "--metadata <key=value>",
    about: "a note; may be repeated",
    read: (text, spec) => ({ ...spec, metadata: { ...spec.metadata, ...pairOf(text) } }),
  },
  {
    field: "workerId",
    flags: "--worker <n>",
    about: "the only worker that may run it",
    read: (text, spec) => ({ ...spec, workerId: parseNodeId(text) }),
  },
];

export interface SpecFlags {
  readonly file?: string;
  /** All flags together. */
  readonly spec?: Spec;
}

/** @param shown.defaults whether what is not given gets its default, which the help then shows */
export function withSpecOptions(command: Command, shown: { readonly defaults: boolean }): Command {
  command.addOption(
    new Option("-f, --file <file>", "a specification as TOML or JSON; flags go before it").helpGroup(HEADING),
  );
  return withLateOptions(command, async () => {
    const { vmSpecSchema } = await import("../../../core/domain/index.ts");
    const none: Spec = {};
    addFieldOptions(command, flagsOf(vmSpecSchema, OWN_FLAGS), none, { attribute: "spec", heading: HEADING, ...shown });
  });
}

const HEADING = "Specification:";

type Source = NonNullable<Spec["source"]>;

function onlySource(source: Source, earlier: Spec["source"]): Source {
  if (earlier !== undefined && earlier?.kind !== source.kind)
    throw new UsageError("a VM boots from --image or from --nix-module", "give one of them");
  return source;
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
