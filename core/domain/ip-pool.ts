/**
 * An IP pool: a range of a subnet whose addresses are given out by index. The address, the MAC and the name of the
 * tap device all follow from the number of the pool and the index, so none of them can be given out without the
 * others.
 */

import { flag, type Infer, InvalidField, integer, list, nullable, record, type Schema, text } from "../schema/index.ts";
import { nameSchema } from "./identity.ts";
import { type IpAddress, parseIp, parseSubnet, printIp, type Subnet } from "./ip-address.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

const addressText = text(1, CLUSTER_LIMITS.addressLength);
const NONE: readonly never[] = Object.freeze([]);

/** Addresses that a pool may have: an index has two bytes of the MAC. */
const SIZE_MAX = 65_536n;

/** Of a pool, and of a request for one. */
export const ipPoolSpecFields = {
  name: nameSchema,
  subnet: addressText.doc("v4 from /8, v6 from /48").example("10.0.0.0/24"),
  gateway: nullable(addressText).default(null).doc("What guests send through"),
  dns: list(addressText, { lengthMax: CLUSTER_LIMITS.listLength }).default(NONE).doc("Name servers"),
  rangeFirst: nullable(addressText)
    .default(null)
    .doc("The first address that may be given out; null: from the start of the subnet, without its network address"),
  rangeLast: nullable(addressText).default(null).doc("null: to its end, without its broadcast address"),
  vlan: nullable(integer(1, 4094)).default(null).doc("The VLAN of its guests; null: none"),
  reserved: list(addressText, { lengthMax: CLUSTER_LIMITS.reservedAddresses })
    .default(NONE)
    .doc("Addresses that are never given out"),
  datacenter: nullable(nameSchema).default(null).doc("Where the subnet is at home"),
  zone: nullable(nameSchema).default(null).doc("Where the subnet is at home"),
  tags: list(nameSchema, { lengthMax: CLUSTER_LIMITS.listLength })
    .default(NONE)
    .doc("By which a VM chooses a pool that it does not name"),
  enabled: flag.default(true).doc("One that is not gives out nothing new"),
};
const bareSpecSchema = record(ipPoolSpecFields);
export type IpPoolSpec = Infer<typeof bareSpecSchema>;

/** Whatever has the fields of a pool has its rule too. */
export function withAddressRule<Out extends IpPoolSpec, In>(schema: Schema<Out, In>): Schema<Out, In> {
  return schema.rule("its addresses are canonical, and lie within its subnet", checkAddresses, (spec) => ({
    ...spec,
    subnet: "10.0.0.0/24",
    gateway: null,
    dns: NONE,
    rangeFirst: null,
    rangeLast: null,
    reserved: NONE,
  }));
}

export const ipPoolSpecSchema = withAddressRule(bareSpecSchema);

function checkAddresses(spec: IpPoolSpec): void {
  const range = rangeOf(spec);
  for (const [at, address] of spec.dns.entries()) parseIp(address, `.dns[${at}]`);
  for (const [at, address] of spec.reserved.entries()) within(range.subnet, address, `.reserved[${at}]`);
  if (spec.gateway !== null) within(range.subnet, spec.gateway, ".gateway");
  const size = range.last - range.first + 1n;
  if (size > SIZE_MAX)
    throw new InvalidField("", Number(SIZE_MAX), `must have a range of at most ${SIZE_MAX} addresses, not ${size}`);
  if (allocatableCount(spec) < 1) throw new InvalidField("", null, "must have an address to give out");
}

const poolAddressFields = {
  address: addressText,
  prefixLength: integer(0, 128),
  gateway: nullable(addressText),
  mac: text(17, 17).doc("Locally administered, as six pairs of hexadecimal digits"),
  tap: text(1, 15).doc("Name of the tap device, as long as Linux allows"),
};
const poolAddressSchema = record(poolAddressFields);
export type PoolAddress = Infer<typeof poolAddressSchema>;

/** What a VM gets at one address: all that its host has to set up for it. */
export const interfaceSchema = record({
  ...poolAddressFields,
  dns: ipPoolSpecFields.dns,
  vlan: ipPoolSpecFields.vlan,
});
export type Interface = Infer<typeof interfaceSchema>;

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

function rangeOf(spec: IpPoolSpec): PoolRange {
  const known = ranges.get(spec);
  if (known !== undefined) return known;
  const subnet = parseSubnet(spec.subnet, `.subnet`);
  // A network of one or two addresses has neither a network nor a broadcast address (RFC 3021).
  const isTiny = subnet.last - subnet.first < 2n;
  const special = isTiny ? [] : subnet.family === 4 ? [subnet.first, subnet.last] : [subnet.first];
  const first = spec.rangeFirst === null ? subnet.first : within(subnet, spec.rangeFirst, `.rangeFirst`).value;
  const last = spec.rangeLast === null ? subnet.last : within(subnet, spec.rangeLast, `.rangeLast`).value;
  if (first > last) throw new InvalidField(`.rangeLast`, null, "must not lie before rangeFirst");
  const nobodys = [
    ...special,
    ...spec.reserved.map((address, at) => parseIp(address, `.reserved[${at}]`).value),
    ...(spec.gateway === null ? [] : [parseIp(spec.gateway, `.gateway`).value]),
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

/**
 * The first index behind `cursor` that is nobody's yet, from the start again at the end: so one is used again as late
 * as can be.
 */
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

export function interfaceOf({ spec, number }: Pick<StoredPool, "spec" | "number">, index: number): Interface {
  return { ...addressOf(spec, number, index), dns: spec.dns, vlan: spec.vlan };
}

export function poolsOverlap(a: IpPoolSpec, b: IpPoolSpec): boolean {
  const [one, two] = [rangeOf(a).subnet, rangeOf(b).subnet];
  return one.family === two.family && one.first <= two.last && two.first <= one.last;
}

/** What a snapshot holds of a pool. */
export const storedPoolSchema = record({
  spec: ipPoolSpecSchema,
  /** MACs and names of tap devices are made of it. */
  number: integer(1, CLUSTER_LIMITS.ipPoolNumber).doc("Given once, and never again to another pool"),
  /** The search goes on behind it, so that one is used again as late as can be. */
  cursor: integer(-1).doc("The index that was given out last"),
});
export type StoredPool = Infer<typeof storedPoolSchema>;

/** Immutable. */
export interface IpPoolRecord extends StoredPool {
  /** Indexes that VMs hold. Follows from them. */
  readonly usedCount: number;
}

export const addressKey = (pool: string, index: number): string => `${pool}/${index}`;
