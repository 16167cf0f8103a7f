/**
 * An IP pool: a range of a subnet whose addresses are given out by index. From a pool's number and an index follow address, MAC and tap device together,
 * so that none of them can be given out without the others.
 */

import { InvalidField } from "../schema/index.ts";
import { array, boolean, integer, label, list, nullable, text, tuple } from "./fields.ts";
import { type IpAddress, parseIp, parseSubnet, printIp, type Subnet } from "./ip-address.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

export interface IpPoolSpec {
  /** A label. */
  readonly name: string;
  /** v4 from /8, v6 from /48. */
  readonly subnet: string;
  readonly gateway: string | null;
  readonly dns: readonly string[];
  /** First and last address that may be given out; null: of the subnet, without its network and broadcast addresses. */
  readonly rangeFirst: string | null;
  readonly rangeLast: string | null;
  /** 1 to 4,094. */
  readonly vlan: number | null;
  /** Addresses that are never given out. */
  readonly reserved: readonly string[];
  /** Where the subnet is at home. */
  readonly datacenter: string | null;
  readonly zone: string | null;
  readonly tags: readonly string[];
  /** One that is not gives out nothing new. */
  readonly enabled: boolean;
}

export interface PoolAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string | null;
  /** Locally administered, as six pairs of hexadecimal digits. */
  readonly mac: string;
  /** Of the tap device: at most 15 characters, as Linux allows. */
  readonly tap: string;
}

/** Addresses that a pool may have: an index has two bytes of the MAC. */
const SIZE_MAX = 65_536n;

export function ipPoolToArray(spec: IpPoolSpec): readonly unknown[] {
  return [
    spec.name,
    spec.subnet,
    spec.gateway,
    spec.dns,
    spec.rangeFirst,
    spec.rangeLast,
    spec.vlan,
    spec.reserved,
    spec.datacenter,
    spec.zone,
    spec.tags,
    spec.enabled,
  ];
}

/** @throws InvalidField */
export function ipPoolFromArray(value: unknown, field: string): IpPoolSpec {
  const parts = tuple(array(value, field), field, 12);
  const spec: IpPoolSpec = Object.freeze({
    name: label(parts[0], `${field}.name`),
    subnet: addressText(parts[1], `${field}.subnet`),
    gateway: nullable(parts[2], `${field}.gateway`, addressText),
    dns: list(parts[3], `${field}.dns`, CLUSTER_LIMITS.listLength, addressText),
    rangeFirst: nullable(parts[4], `${field}.rangeFirst`, addressText),
    rangeLast: nullable(parts[5], `${field}.rangeLast`, addressText),
    vlan: nullable(parts[6], `${field}.vlan`, (vlan, name) => integer(vlan, name, 1, 4094)),
    reserved: list(parts[7], `${field}.reserved`, CLUSTER_LIMITS.reservedAddresses, addressText),
    datacenter: nullable(parts[8], `${field}.datacenter`, label),
    zone: nullable(parts[9], `${field}.zone`, label),
    tags: list(parts[10], `${field}.tags`, CLUSTER_LIMITS.listLength, label),
    enabled: boolean(parts[11], `${field}.enabled`),
  });
  const range = rangeOf(spec, field);
  for (const [at, address] of spec.dns.entries()) parseIp(address, `${field}.dns[${at}]`);
  for (const [at, address] of spec.reserved.entries()) within(range.subnet, address, `${field}.reserved[${at}]`);
  if (spec.gateway !== null) within(range.subnet, spec.gateway, `${field}.gateway`);
  const size = range.last - range.first + 1n;
  if (size > SIZE_MAX)
    throw new InvalidField(field, Number(SIZE_MAX), `must have a range of at most ${SIZE_MAX} addresses, not ${size}`);
  if (allocatableCount(spec) < 1) throw new InvalidField(field, null, "must have an address to give out");
  return spec;
}

function addressText(value: unknown, field: string): string {
  return text(value, field, 1, CLUSTER_LIMITS.addressLength);
}

function within({ family, first, last }: Subnet, address: string, field: string): IpAddress {
  const parsed = parseIp(address, field);
  if (parsed.family !== family || parsed.value < first || parsed.value > last)
    throw new InvalidField(field, null, "must lie within the subnet");
  return parsed;
}

interface PoolRange {
  readonly subnet: Subnet;
  readonly first: bigint;
  readonly last: bigint;
  /** Indexes within the range that are nobody's: network, broadcast, gateway, reserved. */
  readonly excluded: ReadonlySet<number>;
}

// Frozen specs are shared between states: what follows from one is worked out once.
const ranges = new WeakMap<IpPoolSpec, PoolRange>();

function rangeOf(spec: IpPoolSpec, field = "pool"): PoolRange {
  const known = ranges.get(spec);
  if (known !== undefined) return known;
  const subnet = parseSubnet(spec.subnet, `${field}.subnet`);
  // A network of one or two addresses has neither a network nor a broadcast address (RFC 3021).
  const isTiny = subnet.last - subnet.first < 2n;
  const special = isTiny ? [] : subnet.family === 4 ? [subnet.first, subnet.last] : [subnet.first];
  const first = spec.rangeFirst === null ? subnet.first : within(subnet, spec.rangeFirst, `${field}.rangeFirst`).value;
  const last = spec.rangeLast === null ? subnet.last : within(subnet, spec.rangeLast, `${field}.rangeLast`).value;
  if (first > last) throw new InvalidField(`${field}.rangeLast`, null, "must not lie before rangeFirst");
  const nobodys = [
    ...special,
    ...spec.reserved.map((address, at) => parseIp(address, `${field}.reserved[${at}]`).value),
    ...(spec.gateway === null ? [] : [parseIp(spec.gateway, `${field}.gateway`).value]),
  ];
  const excluded = new Set<number>();
  for (const value of nobodys) if (value >= first && value <= last) excluded.add(Number(value - first));
  const range = { subnet, first, last, excluded };
  ranges.set(spec, range);
  return range;
}

/** How many addresses there are to give out. */
export function allocatableCount(spec: IpPoolSpec): number {
  const { first, last, excluded } = rangeOf(spec);
  return Number(last - first + 1n) - excluded.size;
}

/** The first index behind `cursor` that is nobody's yet, from the start again at the end: so one is used again as late as can be. */
export function nextFree(spec: IpPoolSpec, cursor: number, isTaken: (index: number) => boolean): number | null {
  const { first, last, excluded } = rangeOf(spec);
  const size = Number(last - first + 1n);
  for (let step = 1; step <= size; step++) {
    const index = (cursor + step) % size;
    if (!excluded.has(index) && !isTaken(index)) return index;
  }
  return null;
}

/** `poolNumber` is 1 to 65,535, and no other pool's. */
export function addressOf(spec: IpPoolSpec, poolNumber: number, index: number): PoolAddress {
  const { subnet, first } = rangeOf(spec);
  const bytes = [0x02, 0xb1, (poolNumber >> 8) & 255, poolNumber & 255, (index >> 8) & 255, index & 255];
  return {
    address: printIp({ family: subnet.family, value: first + BigInt(index) }),
    prefixLength: subnet.prefixLength,
    gateway: spec.gateway,
    mac: bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    tap: `bx-${poolNumber.toString(36)}-${index.toString(36)}`,
  };
}

export function poolsOverlap(a: IpPoolSpec, b: IpPoolSpec): boolean {
  const [one, two] = [rangeOf(a).subnet, rangeOf(b).subnet];
  return one.family === two.family && one.first <= two.last && two.first <= one.last;
}

/** Immutable. */
export interface IpPoolRecord {
  readonly spec: IpPoolSpec;
  /** Given once, and never again to another pool: MACs and names of tap devices are made of it. */
  readonly number: number;
  /** The index that was given out last: the search goes on behind it, so that one is used again as late as can be. */
  readonly cursor: number;
  /** Indexes that VMs hold. Follows from them. */
  readonly usedCount: number;
}

export const addressKey = (pool: string, index: number): string => `${pool}/${index}`;
