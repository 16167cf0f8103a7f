/**
 * The frames that tell a local network where an address is now: a gratuitous ARP request (RFC 5227, section 3), or an
 * unsolicited neighbour advertisement (RFC 4861, section 7.2.6). Who knows the address by an earlier place corrects it.
 */
import { parseIp } from "../../core/index.ts";

const BROADCAST = Buffer.alloc(6, 0xff);
/** Of ff02::1, all nodes. */
const ALL_NODES_MAC = Buffer.from([0x33, 0x33, 0, 0, 0, 1]);
const ALL_NODES = bytesOf("ff02::1");

const ETHERTYPE = { arp: Buffer.from([0x08, 0x06]), ipv6: Buffer.from([0x86, 0xdd]) } as const;
/** Ethernet and IPv4, six and four bytes long; a request. */
const ARP_REQUEST = Buffer.from([0, 1, 0x08, 0, 6, 4, 0, 1]);
const ICMPV6 = 58;
const NEIGHBOUR_ADVERTISEMENT = 136;
/** It replaces what was known. */
const OVERRIDE = 0x20;
const TARGET_LINK_ADDRESS = 2;
const ADVERTISEMENT_BYTES = 32;

/** @param mac of the interface that answers for the address. */
export function announcement(address: string, mac: string): Buffer {
  const from = Buffer.from(mac.replaceAll(":", ""), "hex");
  const target = bytesOf(address);
  if (target.length === 4)
    return Buffer.concat([BROADCAST, from, ETHERTYPE.arp, ARP_REQUEST, from, target, Buffer.alloc(6), target]);
  const advertisement = Buffer.alloc(ADVERTISEMENT_BYTES);
  advertisement[0] = NEIGHBOUR_ADVERTISEMENT;
  advertisement[4] = OVERRIDE;
  target.copy(advertisement, 8);
  advertisement[24] = TARGET_LINK_ADDRESS;
  advertisement[25] = 1;
  from.copy(advertisement, 26);
  const pseudoHeader = Buffer.concat([target, ALL_NODES, Buffer.from([0, 0, 0, ADVERTISEMENT_BYTES, 0, 0, 0, ICMPV6])]);
  advertisement.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, advertisement])), 2);
  // Version 6, the length of what follows, and a hop limit that shows that no router has passed it on.
  const header = Buffer.from([0x60, 0, 0, 0, 0, ADVERTISEMENT_BYTES, ICMPV6, 255]);
  return Buffer.concat([ALL_NODES_MAC, from, ETHERTYPE.ipv6, header, target, ALL_NODES, advertisement]);
}

function bytesOf(address: string): Buffer {
  const { family, value } = parseIp(address, "");
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
}
