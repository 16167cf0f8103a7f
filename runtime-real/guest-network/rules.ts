/**
 * What guests may send, as rules of nftables, in tables of this worker's own. Rules of others hold beside them.
 *
 *     from its device comes            and
 *     what the guest may not send      is dropped: another MAC or address than its own, in IP and in ARP
 *     what is for this host itself     is dropped, unless it belongs to a connection that the host has opened, or is a
 *                                      ping, what IPv6 needs to find its neighbour, or for a port that is allowed
 *     what is for others               goes on; outside of the pools with the address of the host, if that is asked for
 */
import { createHash } from "node:crypto";
import { execa } from "execa";
import type { Interface } from "../../core/index.ts";

const LIMIT_MS = 10_000;

export class RulesError extends Error {
  override readonly name = "RulesError";
}

export interface RuleOptions {
  /** Guests reach the outside with the address of their host. */
  readonly masquerade: boolean;
  /** Ports of this host that guests may reach, such as tcp/53. */
  readonly guestPorts: readonly string[];
}

type Guest = Pick<Interface, "tap" | "mac" | "address" | "prefixLength">;

export class Rules {
  readonly #table: string;
  readonly #options: RuleOptions;
  /** What the kernel has; null: not known. */
  #applied: string | null = null;

  /** @param owner no other on this host has the same: the directory of its machines. */
  constructor(owner: string, options: RuleOptions) {
    this.#table = tableOf(owner);
    this.#options = options;
  }

  /** In place of those before, at once. @throws RulesError */
  async apply(guests: readonly Guest[]): Promise<void> {
    const text = ruleset(this.#table, guests, this.#options);
    if (text === this.#applied) return;
    this.#applied = null;
    const { failed, stderr, shortMessage } = await execa("nft", ["-f", "-"], {
      input: text,
      reject: false,
      cleanup: false,
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    if (failed) throw new RulesError(`nft: ${stderr.trim().split("\n")[0] || shortMessage}`);
    this.#applied = text;
  }
}

/** The mark of the worker: of several on one host, each has its own. */
export function tableOf(owner: string): string {
  return `blixard-${createHash("sha256").update(owner).digest("hex").slice(0, 8)}`;
}

export function ruleset(table: string, guests: readonly Guest[], { masquerade, guestPorts }: RuleOptions): string {
  const families = ["inet", "arp"].flatMap((family) => [
    `add table ${family} ${table}`,
    `delete table ${family} ${table}`,
  ]);
  if (guests.length === 0) return `${families.join("\n")}\n`;
  const four = guests.filter(({ address }) => !address.includes(":"));
  const six = guests.filter(({ address }) => address.includes(":"));
  const taps = guests.map(({ tap }) => `"${tap}"`);
  const source = ({ tap, mac, address }: Guest): string => `"${tap}" . ${mac} . ${address}`;
  const pools = (of: readonly Guest[]) => [
    ...new Set(of.map(({ address, prefixLength }) => `${address}/${prefixLength}`)),
  ];
  const ports = (protocol: string) =>
    guestPorts.flatMap((port) => (port.startsWith(`${protocol}/`) ? [port.slice(protocol.length + 1)] : []));
  const chains = [
    "chain from-guests {",
    "  type filter hook prerouting priority raw - 10; policy accept;",
    "  iifname != @taps accept",
    "  iifname . ether saddr . ip saddr @sources4 accept",
    "  iifname . ether saddr . ip6 saddr @sources6 accept",
    "  iifname . ether saddr @speakers6 ip6 saddr { ::, fe80::/10 } accept",
    "  drop",
    "}",
    "chain to-host {",
    "  type filter hook input priority filter - 10; policy accept;",
    "  iifname != @taps accept",
    "  icmp type redirect drop",
    "  ct state established,related accept",
    "  icmp type echo-request accept",
    "  icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept",
    ...["tcp", "udp"].flatMap((protocol) =>
      ports(protocol).length === 0 ? [] : [`  ${protocol} dport { ${ports(protocol).join(", ")} } accept`],
    ),
    "  drop",
    "}",
    ...(masquerade
      ? [
          "chain to-outside {",
          "  type nat hook postrouting priority srcnat; policy accept;",
          "  oifname @taps accept",
          "  ip saddr @guests4 ip daddr != @pools4 masquerade",
          "  ip6 saddr @guests6 ip6 daddr != @pools6 masquerade",
          "}",
        ]
      : []),
  ];
  const inet = [
    set("taps", "ifname", taps),
    set("sources4", "ifname . ether_addr . ipv4_addr", four.map(source)),
    set("sources6", "ifname . ether_addr . ipv6_addr", six.map(source)),
    set(
      "speakers6",
      "ifname . ether_addr",
      six.map(({ tap, mac }) => `"${tap}" . ${mac}`),
    ),
    set(
      "guests4",
      "ipv4_addr",
      four.map(({ address }) => address),
    ),
    set(
      "guests6",
      "ipv6_addr",
      six.map(({ address }) => address),
    ),
    set("pools4", "ipv4_addr; flags interval; auto-merge", pools(four)),
    set("pools6", "ipv6_addr; flags interval; auto-merge", pools(six)),
    ...chains,
  ];
  const arp = [
    set("taps", "ifname", taps),
    set("sources4", "ifname . ether_addr . ipv4_addr", four.map(source)),
    "chain from-guests {",
    "  type filter hook input priority filter - 10; policy accept;",
    "  iifname != @taps accept",
    "  iifname . arp saddr ether . arp saddr ip @sources4 accept",
    "  drop",
    "}",
  ];
  const block = (family: string, lines: readonly string[]) => [
    `table ${family} ${table} {`,
    ...lines.map((line) => `  ${line}`),
    "}",
  ];
  return `${[...families, ...block("inet", inet), ...block("arp", arp)].join("\n")}\n`;
}

function set(name: string, type: string, elements: readonly string[]): string {
  const held = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} };`;
  return `set ${name} { type ${type};${held} }`;
}
