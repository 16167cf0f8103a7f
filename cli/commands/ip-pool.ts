/** `blixard ip-pool`: where VMs get their addresses from. */
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, collect, parseCount, type Session, withExamples } from "../frame/index.ts";
import { bar, count, fitTable, type Paint, table } from "../output/index.ts";
import { confirm } from "./cluster.ts";

type Pool = AnswerOf<"ipPool.show">["pool"];
type Strategy = AnswerOf<"ipPool.list">["strategy"];

export const registerIpPool: CommandGroup = (program, session) => {
  const pool = withExamples(program.command("ip-pool"), [
    "blixard ip-pool create --name front --subnet 10.20.0.0/24 --gateway 10.20.0.1",
    "blixard ip-pool list",
  ]).description("Make and look at the pools from which VMs get their addresses.");
  registerCreate(pool, session);
  registerList(pool, session);
  registerShow(pool, session);
  registerDelete(pool, session);
  registerSwitch(pool, session, "enable");
  registerSwitch(pool, session, "disable");
  registerStrategy(pool, session);
};

interface CreateOptions extends ClientOptions {
  readonly name: string;
  readonly subnet: string;
  readonly gateway?: string;
  readonly dns?: readonly string[];
  readonly range?: { readonly first: string; readonly last: string };
  readonly vlan?: number;
  readonly reserve?: readonly string[];
  readonly datacenter?: string;
  readonly zone?: string;
  readonly tag?: readonly string[];
  readonly disabled?: true;
}

function registerCreate(pool: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(pool.command("create"), [
      "blixard ip-pool create --name front --subnet 10.20.0.0/24 --gateway 10.20.0.1",
      "blixard ip-pool create --name back --subnet fd00:20::/64 --range fd00:20::100-fd00:20::1ff --vlan 20",
    ])
      .description("Make a pool. An address comes with a MAC and the name of a tap device that nobody else ever has.")
      .requiredOption("--name <name>", "its name: lower-case letters, digits and hyphens")
      .requiredOption("--subnet <subnet>", "v4 from /8, v6 from /48")
      .option("--gateway <address>", "what guests send through")
      .option("--dns <address>", "a name server; may be repeated", collect)
      .option("--range <first-last>", "only these are given out; the whole subnet unless given", parseRange)
      .option("--vlan <n>", "1 to 4094", parseCount)
      .option("--reserve <address>", "never given out; may be repeated", collect)
      .option("--datacenter <name>", "where the subnet is at home")
      .option("--zone <name>", "where the subnet is at home")
      .option("--tag <name>", "may be repeated", collect)
      .option("--disabled", "give out nothing until it is enabled"),
  ).action(async (options: CreateOptions) => {
    const { name, subnet, range } = options;
    const request = {
      name,
      subnet,
      gateway: options.gateway ?? null,
      dns: [...(options.dns ?? [])],
      rangeFirst: range?.first ?? null,
      rangeLast: range?.last ?? null,
      vlan: options.vlan ?? null,
      reserved: [...(options.reserve ?? [])],
      datacenter: options.datacenter ?? null,
      zone: options.zone ?? null,
      tags: [...(options.tag ?? [])],
      enabled: options.disabled !== true,
    };
    const answer = await withNode(options, (api) =>
      api.write("ipPool.create", request, { timeoutMs: options.timeout }),
    );
    if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
    else terminal.out(`address pool ${name} created: log index ${answer.index}, term ${answer.term}`);
  });
}

/** Such as 10.0.0.10-10.0.0.99. */
function parseRange(text: string): { readonly first: string; readonly last: string } {
  const [first = "", last = "", ...rest] = text.split("-");
  if (first === "" || last === "" || rest.length > 0)
    throw new InvalidArgumentError("Give FIRST-LAST, such as 10.20.0.10-10.20.0.99.");
  return { first, last };
}

function registerList(pool: Command, { terminal }: Session): void {
  withClientOptions(withExamples(pool.command("list"), ["blixard ip-pool list"]))
    .description("All address pools, and how full they are.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("ipPool.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else if (answer.pools.length === 0)
        terminal.err("there are no address pools; `blixard ip-pool create --name NAME --subnet SUBNET` makes one");
      else {
        for (const line of renderPools(answer.pools, terminal.paintOut, terminal.columns)) terminal.out(line);
        terminal.out("");
        terminal.out(renderStrategy(answer.strategy));
      }
    });
}

const BAR = 10;

export function renderPools(pools: readonly Pool[], paint: Paint, columns: number): string[] {
  const rows = pools.map(({ name, subnet, gateway, vlan, usedCount, size, enabled }) => [
    name,
    subnet,
    gateway ?? "-",
    vlan === null ? "-" : `${vlan}`,
    count(usedCount),
    count(size),
    bar(usedCount, size, BAR, paint),
    enabled ? paint("green", "enabled") : paint("yellow", "disabled"),
  ]);
  return fitTable("<<<>>><<", [["POOL", "SUBNET", "GATEWAY", "VLAN", "USED", "OF", "", "STATE"], ...rows], columns);
}

function registerShow(pool: Command, { terminal }: Session): void {
  withClientOptions(withExamples(pool.command("show"), ["blixard ip-pool show front"]))
    .description("One address pool.")
    .argument("<pool>", "its name")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (name: string, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("ipPool.show", { name, stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderPool(answer.pool, terminal.paintOut)) terminal.out(line);
    });
}

export function renderPool(pool: Pool, paint: Paint): string[] {
  const { gateway, dns, rangeFirst, rangeLast, vlan, reserved, datacenter, zone, tags, usedCount, size, enabled } =
    pool;
  const list = (items: readonly string[]): string => (items.length === 0 ? "-" : items.join(", "));
  const range =
    rangeFirst === null && rangeLast === null
      ? "all of the subnet"
      : `${rangeFirst ?? "its start"} to ${rangeLast ?? "its end"}`;
  return table("<<", [
    ["pool", pool.name],
    ["state", enabled ? paint("green", "enabled") : paint("yellow", "disabled: gives out nothing new")],
    ["subnet", pool.subnet],
    ["range", range],
    ["used", `${bar(usedCount, size, BAR, paint)}, ${count(usedCount)} of ${count(size)}`],
    ["gateway", gateway ?? "-"],
    ["name servers", list(dns)],
    ["VLAN", vlan === null ? "-" : `${vlan}`],
    ["reserved", list(reserved)],
    ["place", `datacenter ${datacenter ?? "any"}, zone ${zone ?? "any"}`],
    ["tags", list(tags)],
  ]);
}

const STRATEGY_WORDS = {
  "least-used": "the pool with the smallest share of its addresses in use",
  "most-used": "the pool with the largest share of its addresses in use that has one left",
  "round-robin": "one pool after the other",
  "topology-aware": "the pool at home in the zone that the VM prefers, then in its datacenter, then the least used",
} as const satisfies Record<Strategy, string>;

export function renderStrategy(strategy: Strategy): string {
  return `strategy ${strategy}: a VM that names no pool gets its address from ${STRATEGY_WORDS[strategy]}`;
}

function registerStrategy(pool: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(pool.command("strategy"), ["blixard ip-pool strategy", "blixard ip-pool strategy round-robin"])
      .description("Show or change which pool addresses come from where a VM names none; what has an address keeps it.")
      .addArgument(new Argument("[strategy]", "how a pool is chosen").choices(Object.keys(STRATEGY_WORDS))),
  ).action(async (strategy: Strategy | undefined, options: ClientOptions) => {
    const limits = { timeoutMs: options.timeout };
    if (strategy === undefined) {
      const { index, strategy: now } = await withNode(options, (api) => api.read("ipPool.list", {}, limits));
      terminal.out(options.json === true ? JSON.stringify({ index, strategy: now }) : renderStrategy(now));
      return;
    }
    const answer = await withNode(options, (api) => api.write("ipPool.setStrategy", { strategy }, limits));
    if (options.json === true) terminal.out(JSON.stringify({ strategy, ...answer }));
    else terminal.out(`${renderStrategy(strategy)}: log index ${answer.index}, term ${answer.term}`);
  });
}

function registerDelete(pool: Command, { terminal }: Session): void {
  withClientOptions(withExamples(pool.command("delete"), ["blixard ip-pool delete front --yes"]))
    .description("Delete an address pool of which nothing is in use.")
    .argument("<pool>", "its name")
    .option("--yes", "do not ask")
    .action(async (name: string, options: ClientOptions & { readonly yes?: true }) => {
      await confirm(`Delete the address pool ${name}?`, options);
      const answer = await withNode(options, (api) =>
        api.write("ipPool.delete", { name }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else terminal.out(`address pool ${name} deleted: log index ${answer.index}, term ${answer.term}`);
    });
}

function registerSwitch(pool: Command, { terminal }: Session, verb: "enable" | "disable"): void {
  withClientOptions(withExamples(pool.command(verb), [`blixard ip-pool ${verb} front`]))
    .description(
      verb === "enable"
        ? "Let an address pool give out addresses again."
        : "Have an address pool give out nothing new; what it gave out stays.",
    )
    .argument("<pool>", "its name")
    .action(async (name: string, options: ClientOptions) => {
      const ask = (api: ApiClient): Promise<AnswerOf<"ipPool.enable">> =>
        api.write(verb === "enable" ? "ipPool.enable" : "ipPool.disable", { name }, { timeoutMs: options.timeout });
      const answer = await withNode(options, ask);
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else terminal.out(`address pool ${name} is ${verb}d: log index ${answer.index}, term ${answer.term}`);
    });
}
