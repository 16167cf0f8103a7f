/** `blixard vm`: virtual machines, as the cluster knows them. */
import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { AnswerOf, ApiClient, RequestOf } from "../runtime-real/index.ts";
import { ApiError } from "../runtime-real/index.ts";
import { parseCount } from "./arguments.ts";
import { type ClientOptions, withClientOptions, withNode } from "./client.ts";
import { confirm } from "./cluster.ts";
import { readJson, readText } from "./files.ts";
import { formatTime } from "./format.ts";
import { type CommandGroup, type Session, withExamples } from "./group.ts";
import { nearest } from "./nearest.ts";
import { FailureError, UsageError } from "./outcome.ts";
import { fitTable, table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type Spec = NonNullable<RequestOf<"vm.create">["spec"]>;
type Vm = AnswerOf<"vm.show">["vm"];

export const registerVm: CommandGroup = (program, session) => {
  const vm = withExamples(program.command("vm"), [
    "blixard vm create --name web --vcpus 2 --memory 1024",
    "blixard vm list",
  ]).description("Create, change and look at VMs.");
  registerCreate(vm, session);
  registerUpdate(vm, session);
  registerDelete(vm, session);
  registerList(vm, session);
  registerShow(vm, session);
};

interface SpecFlags {
  readonly file?: string;
  readonly vcpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly hypervisor?: string;
  readonly tenant?: string;
  readonly priority?: number;
  readonly image?: string;
  readonly nixModule?: string;
  readonly feature?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

function withSpecOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "a specification as JSON; flags go before it")
    .option("--vcpus <n>", "virtual CPUs", parseCount)
    .option("--memory <MiB>", "memory in MiB", parseCount)
    .option("--disk <GiB>", "disk in GiB", parseCount)
    .option("--hypervisor <name>", "qemu, cloud-hypervisor or firecracker")
    .option("--tenant <name>", "whose it is")
    .option("--priority <n>", "0 to 1000; higher goes first", parseCount)
    .option("--image <image>", "the disk image to boot")
    .option("--nix-module <file>", "a NixOS module for the guest")
    .option("--feature <name>", "what its worker must offer; may be repeated", collect)
    .option("--metadata <key=value>", "a note; may be repeated", collectPair);
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function collectPair(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give KEY=VALUE.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** What the flags say; the node checks it. */
function specOf(flags: SpecFlags): Spec {
  const fromFile: Spec =
    flags.file === undefined
      ? {}
      : readJson(flags.file, asObject, 'give a JSON object with fields of a VM\'s specification, such as {"vcpus": 2}');
  if (flags.image !== undefined && flags.nixModule !== undefined)
    throw new UsageError("a VM boots from --image or from --nix-module", "give one of them");
  const hypervisor = flags.hypervisor;
  if (hypervisor !== undefined && !isHypervisor(hypervisor))
    throw new UsageError(`there is no hypervisor ${hypervisor}`, "give qemu, cloud-hypervisor or firecracker");
  return {
    ...fromFile,
    ...(flags.vcpus === undefined ? {} : { vcpus: flags.vcpus }),
    ...(flags.memory === undefined ? {} : { memoryMiB: flags.memory }),
    ...(flags.disk === undefined ? {} : { diskGiB: flags.disk }),
    ...(hypervisor === undefined ? {} : { hypervisor }),
    ...(flags.tenant === undefined ? {} : { tenant: flags.tenant }),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.image === undefined ? {} : { source: { kind: "image", image: flags.image } }),
    ...(flags.nixModule === undefined ? {} : { source: { kind: "nixModule", nixModule: readText(flags.nixModule) } }),
    ...(flags.feature === undefined ? {} : { features: [...flags.feature] }),
    ...(flags.metadata === undefined ? {} : { metadata: { ...fromFile.metadata, ...flags.metadata } }),
  };
}

const hypervisors = ["qemu", "cloud-hypervisor", "firecracker"] as const;

function isHypervisor(name: string): name is (typeof hypervisors)[number] {
  return hypervisors.some((known) => known === name);
}

function asObject(value: unknown): Spec {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no JSON object");
  return value;
}

function registerCreate(vm: Command, { terminal }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("create"), [
        "blixard vm create --name web --vcpus 2 --memory 1024",
        "blixard vm create --name db --disk 50 --metadata owner=ops",
        "blixard vm create --name app -f app.json --json",
      ])
        .description(
          "Ask for a VM. Returns when the request is committed; it stays Pending while no worker runs machines.",
        )
        .requiredOption("--name <name>", "its name: lower-case letters, digits and hyphens"),
    ),
  )
    .option("--wait", "return when it runs, not when it is committed; --timeout ends the wait")
    .option("--no-wait", "return when it is committed (the default while no worker runs machines)")
    .action(async (options: ClientOptions & SpecFlags & { readonly name: string; readonly wait?: boolean }) => {
      const { name } = options;
      const spec = specOf(options);
      const deadlineMs = performance.now() + options.timeout;
      const answer = await withNode(options, async (api) => {
        const created = await api.write("vm.create", { name, spec }, { timeoutMs: options.timeout });
        if (options.wait === true) await untilRunning(api, name, deadlineMs, terminal);
        return created;
      });
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else if (options.wait === true)
        terminal.out(`${name} runs: created at log index ${answer.index}, term ${answer.term}`);
      else
        terminal.out(
          `${name} created: log index ${answer.index}, term ${answer.term}; it is Pending: no worker runs machines yet`,
        );
    });
}

const LOOK_MS = 200;

async function untilRunning(api: ApiClient, name: string, deadlineMs: number, terminal: Terminal): Promise<void> {
  for (;;) {
    const { vm } = await api.read("vm.show", { name }, { timeoutMs: Math.max(1, deadlineMs - performance.now()) });
    if (vm.state === "Running") return;
    if (vm.state === "Failed" || performance.now() + LOOK_MS > deadlineMs)
      throw new FailureError(
        `${name} is created, and ${vm.state}`,
        vm.state === "Pending"
          ? "no worker runs machines yet: look again with `blixard vm show`"
          : "`blixard vm show` and `blixard events` say more",
      );
    terminal.progress(`${name} is ${vm.state} ...`);
    await delay(LOOK_MS);
  }
}

function registerUpdate(vm: Command, { terminal }: Session): void {
  withClientOptions(
    withSpecOptions(
      withExamples(vm.command("update"), ["blixard vm update web --memory 2048"])
        .description("Change a VM's specification: what is not given stays.")
        .argument("<name>", "which VM"),
    ),
  ).action(async (name: string, options: ClientOptions & SpecFlags) => {
    const changes = specOf(options);
    if (Object.keys(changes).length === 0)
      throw new UsageError("there is nothing to change", "give a flag such as --memory 2048");
    const answer = await withNode(options, async (api) => {
      const { vm: present } = await showOrSuggest(api, name, options);
      const spec: Spec = JSON.parse(JSON.stringify({ ...present.spec, ...changes }));
      const request = { name, expectedGeneration: present.generation, spec };
      return await api.write("vm.update", request, { timeoutMs: options.timeout });
    });
    if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
    else
      terminal.out(`${name} changed: generation ${answer.generation}, log index ${answer.index}, term ${answer.term}`);
  });
}

function registerDelete(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("delete"), ["blixard vm delete web --yes"]))
    .description("Delete a VM.")
    .argument("<name>", "which VM")
    .option("--yes", "do not ask")
    .action(async (name: string, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Delete the VM ${name}?`, options);
      const answer = await withNode(options, async (api) => {
        try {
          return await api.write("vm.delete", { name }, { timeoutMs: options.timeout });
        } catch (error) {
          throw await suggesting(error, api, name);
        }
      });
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else terminal.out(`${name} deleted: log index ${answer.index}, term ${answer.term}`);
    });
}

function registerList(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("list"), ["blixard vm list", "blixard vm list --tenant acme --json"]))
    .description("List VMs by name.")
    .option("--tenant <name>", "only this tenant's")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly tenant?: string; readonly stale?: true }) => {
      const { vms, index } = await withNode(options, (api) => listAll(api, options));
      if (options.json === true) {
        terminal.out(JSON.stringify({ index, vms }));
        return;
      }
      if (vms.length === 0) {
        terminal.err("there are no VMs; `blixard vm create --name web` asks for one");
        return;
      }
      const rows = vms.map(({ name, tenant, state, spec, generation, updatedAtMs }) => [
        name,
        tenant,
        state,
        `${spec.vcpus}`,
        `${spec.memoryMiB}`,
        `${spec.diskGiB}`,
        `${generation}`,
        formatTime(updatedAtMs),
      ]);
      const head = ["NAME", "TENANT", "STATE", "VCPUS", "MIB", "DISK GIB", "GEN", "CHANGED"];
      for (const line of fitTable("<<<>>>><", [head, ...rows], terminal.columns)) terminal.out(line);
    });
}

async function listAll(
  api: ApiClient,
  options: ClientOptions & { readonly tenant?: string; readonly stale?: true },
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

function registerShow(vm: Command, { terminal }: Session): void {
  withClientOptions(withExamples(vm.command("show"), ["blixard vm show web"]))
    .description("Everything about one VM.")
    .argument("<name>", "which VM")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (name: string, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) => showOrSuggest(api, name, options));
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderVm(answer.vm)) terminal.out(line);
    });
}

export function renderVm(vm: Vm): string[] {
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
    ["state", `${vm.state} (desired ${vm.desired})`],
    ["size", `${spec.vcpus} vCPUs, ${spec.memoryMiB} MiB, ${spec.diskGiB} GiB disk`],
    ["hypervisor", spec.hypervisor],
    ["boots", source],
    ["priority", `${spec.priority}${spec.preemptible ? ", preemptible" : ""}`],
    ["features", list(spec.features)],
    ["networks", list(spec.networks.map(({ pool }) => pool))],
    ["volumes", list(spec.volumes.map(({ name, sizeGiB }) => `${name} (${sizeGiB} GiB)`))],
    ["health checks", list(spec.healthChecks.map(({ name }) => name))],
    ["metadata", list(Object.entries(spec.metadata).map(([key, value]) => `${key}=${value}`))],
    ["generation", `${vm.generation}, epoch ${vm.epoch}`],
    ["created", `${formatTime(vm.createdAtMs)} at log index ${vm.createdIndex}`],
    ["changed", `${formatTime(vm.updatedAtMs)} at log index ${vm.updatedIndex}`],
  ]);
}

async function showOrSuggest(
  api: ApiClient,
  name: string,
  options: ClientOptions & { readonly stale?: true },
): Promise<AnswerOf<"vm.show">> {
  try {
    return await api.read("vm.show", { name, stale: options.stale === true }, { timeoutMs: options.timeout });
  } catch (error) {
    throw await suggesting(error, api, name);
  }
}

/** With the names that come nearest, when there is none like this. */
async function suggesting(error: unknown, api: ApiClient, name: string): Promise<unknown> {
  if (!(error instanceof ApiError) || error.code !== "vmNotFound") return error;
  const { vms } = await api.read("vm.list", { stale: true }).catch(() => ({ vms: [] }));
  const near = nearest(
    name,
    vms.map((vm) => vm.name),
  );
  return new FailureError(`there is no VM ${name}`, near === null ? error.hint : `did you mean ${near}? ${error.hint}`);
}
