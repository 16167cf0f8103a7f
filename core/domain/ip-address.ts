/** IP addresses as numbers and as text: IPv4, and IPv6 in the one form that RFC 5952 allows. */
import { InvalidField } from "../schema/index.ts";

export type IpFamily = 4 | 6;

export interface IpAddress {
  readonly family: IpFamily;
  readonly value: bigint;
}

export const BITS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };

/** @throws InvalidField when the text is no address, or not in its one canonical form. */
export function parseIp(text: string, field: string): IpAddress {
  const parsed = text.includes(":") ? parse6(text) : parse4(text);
  if (parsed === null) throw new InvalidField(field, null, "must be an IPv4 or IPv6 address");
  const canonical = printIp(parsed);
  if (canonical !== text) throw new InvalidField(field, null, `must be written as ${canonical}`);
  return parsed;
}

function parse4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,3}$/.test(part) || Number(part) > 255) return null;
    value = value * 256n + BigInt(Number(part));
  }
  return { family: 4, value };
}

function parse6(text: string): IpAddress | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const head = groups[0] ?? [];
  const tail = groups[1] ?? [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const group of [...head, ...new Array<string>(missing).fill("0"), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    value = value * 65_536n + BigInt(`0x${group}`);
  }
  return { family: 6, value };
}

export function printIp({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  // The longest run of zeros, the first of several, and never a single one.
  let bestAt = -1;
  let bestLength = 1;
  for (let at = 0; at < 8; ) {
    let end = at;
    while (end < 8 && groups[end] === "0") end++;
    if (end - at > bestLength) {
      bestAt = at;
      bestLength = end - at;
    }
    at = Math.max(end, at + 1);
  }
  if (bestAt === -1) return groups.join(":");
  return `${groups.slice(0, bestAt).join(":")}::${groups.slice(bestAt + bestLength).join(":")}`;
}

export interface Subnet {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefixLength: number;
}

/** @throws InvalidField when the text is no subnet, or has bits set behind its prefix. */
export function parseSubnet(text: string, field: string): Subnet {
  const [address, length, more] = text.split("/");
  if (address === undefined || length === undefined || more !== undefined || !/^(0|[1-9][0-9]{0,2})$/.test(length))
    throw new InvalidField(field, null, "must be an address, a slash and a prefix length, as in 10.0.0.0/24");
  const { family, value } = parseIp(address, field);
  const prefixLength = Number(length);
  const shortest = family === 4 ? 8 : 48;
  if (prefixLength < shortest || prefixLength > BITS[family])
    throw new InvalidField(field, null, `must have a prefix length from ${shortest} to ${BITS[family]}`);
  const size = 1n << BigInt(BITS[family] - prefixLength);
  if (value % size !== 0n) {
    const network = printIp({ family, value: value - (value % size) });
    throw new InvalidField(field, null, `must begin with the network's address: ${network}/${length}`);
  }
  return { family, first: value, last: value + size - 1n, prefixLength };
}
