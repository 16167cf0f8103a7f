/** How nodes, their peers and tokens are named. */
import { integer, label, list, matching, type Random } from "../schema/index.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

export const nodeIdSchema = integer(1, CLUSTER_LIMITS.nodeId).doc("A member's number").example(1);

/** Of a VM, a tenant, a pool, a task, a place. */
export const nameSchema = label.doc("RFC 1123 label").example("web");

export const tokenIdSchema = matching(8, CLUSTER_LIMITS.tokenIdLength, {
  expression: /^[a-z0-9]{8,32}$/,
  rule: "must be 8 to 32 lower-case letters and digits",
  sample: sampleOf("abcdefghijklmnopqrstuvwxyz0123456789"),
});

export const secretHashSchema = matching(64, 64, {
  expression: /^[0-9a-f]{64}$/,
  rule: "must be 64 lower-case hexadecimal digits",
  sample: sampleOf("0123456789abcdef"),
}).doc("SHA-256 of the secret");

const VISIBLE = Array.from({ length: 0x7f - 0x21 }, (_, at) => String.fromCharCode(0x21 + at)).join("");

export const peerIdSchema = matching(1, CLUSTER_LIMITS.peerIdLength, {
  expression: /^[!-~]{1,128}$/,
  rule: `must be 1 to ${CLUSTER_LIMITS.peerIdLength} printable ASCII characters`,
  sample: sampleOf(VISIBLE),
}).doc("A libp2p peer id");

const addressSchema = matching(1, CLUSTER_LIMITS.addressLength, {
  expression: /^[!-~]{1,256}$/,
  rule: `must be 1 to ${CLUSTER_LIMITS.addressLength} printable ASCII characters`,
  sample: sampleOf(VISIBLE),
});

/** host:port each. */
export const announcedAddressesSchema = list(addressSchema, { lengthMin: 1, lengthMax: CLUSTER_LIMITS.addresses }).doc(
  "host:port, where it listens for its peers",
);
/** A node that nobody has announced has none. */
export const knownAddressesSchema = list(addressSchema, { lengthMax: CLUSTER_LIMITS.addresses }).doc(
  "host:port, where it listens for its peers",
);

function sampleOf(characters: string): (length: number, random: Random) => string {
  return (length, random) => {
    let made = "";
    for (let at = 0; at < length; at++) made += characters.charAt(random(characters.length));
    return made;
  };
}
