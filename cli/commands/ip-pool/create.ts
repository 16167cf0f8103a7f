import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { collect, parseCount, type Session, withExamples } from "../../frame/index.ts";

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

export function registerCreate(pool: Command, session: Session): void {
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
    const told = { what: { name }, done: `address pool ${name} created` };
    await change(session, options, "ipPool.create", request, told);
  });
}

/** Reads a range such as 10.0.0.10-10.0.0.99. */
function parseRange(text: string): { readonly first: string; readonly last: string } {
  const [first = "", last = "", ...rest] = text.split("-");
  if (first === "" || last === "" || rest.length > 0)
    throw new InvalidArgumentError("Give FIRST-LAST, such as 10.20.0.10-10.20.0.99.");
  return { first, last };
}
