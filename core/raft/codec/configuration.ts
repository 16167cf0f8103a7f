/**
 * Configurations and what proves them. Their bytes are canonical (equal values, equal bytes) because they are signed and digested: fields by position, every
 * value in its shortest form, lists as they are, which is sorted by id.
 */

import { InvalidFrame, openKind, type Packed, type Reader, seal } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { Configuration, ConfigurationRecord, LineageLink, Member, NodeId } from "../types.ts";
import { KINDS } from "./kinds.ts";
import { packSignatures, readSignatures } from "./signatures.ts";

/** Records by the very bytes they were read from. Bytes of entries are immutable, and the nodes of one simulation share them by reference. */
const recordsRead = new WeakMap<Uint8Array, ConfigurationRecord>();

/** Canonical bytes of a configuration: what members sign. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return seal([KINDS.configuration, packConfiguration(configuration)]);
}

/** Canonical bytes of what a configuration entry holds. */
export function encodeConfigurationRecord(record: ConfigurationRecord): Uint8Array {
  return seal([
    KINDS.configurationRecord,
    packConfiguration(record.configuration),
    record.link === null ? null : packLink(record.link),
  ]);
}

/**
 * What a configuration entry holds. Asked again for the same `Uint8Array` object it returns the same record without reading: the bytes must never change
 * after the first time.
 *
 * @throws InvalidFrame on anything that `encodeConfigurationRecord` does not make of a valid record.
 */
export function decodeConfigurationRecord(bytes: Uint8Array): ConfigurationRecord {
  const known = recordsRead.get(bytes);
  if (known !== undefined) return known;
  const reader = openKind(bytes, KINDS.configurationRecord, "configurationRecord", 2);
  const configuration = readConfiguration(reader);
  const link = reader.nil() ? null : readLink(reader);
  reader.finish();
  const record: ConfigurationRecord = { configuration, link };
  recordsRead.set(bytes, record);
  return record;
}

export function packConfiguration({ voters, outgoing, learners, members, retired }: Configuration): Packed {
  return [voters, outgoing, learners, members.map(packMember), retired.map(packMember)];
}

/** Refuses lists that are unsorted, repeat an id or an identity, or disagree with each other. */
export function readConfiguration(reader: Reader): Configuration {
  reader.tuple("configuration", 5);
  const configuration: Configuration = {
    voters: readIds(reader, "configuration.voters", LIMITS.voters),
    outgoing: readIds(reader, "configuration.outgoing", LIMITS.voters),
    learners: readIds(reader, "configuration.learners", LIMITS.members),
    members: readMembers(reader, "configuration.members", LIMITS.members),
    retired: readMembers(reader, "configuration.retired", LIMITS.retired),
  };
  checkMembersAreUnion(configuration);
  checkNobodyTwice(configuration);
  return configuration;
}

export function packLinks(links: readonly LineageLink[]): Packed {
  return links.map(packLink);
}

/** At most `LIMITS.lineageLinks` links in the sender's order. */
export function readLinks(reader: Reader, field: string): LineageLink[] {
  const links: LineageLink[] = [];
  for (let left = reader.list(field, LIMITS.lineageLinks); left > 0; left--) links.push(readLink(reader));
  return links;
}

function packLink({ jointIndex, jointTerm, joint, signatures }: LineageLink): Packed {
  return [jointIndex, jointTerm, packConfiguration(joint), packSignatures(signatures)];
}

function readLink(reader: Reader): LineageLink {
  reader.tuple("link", 4);
  return {
    jointIndex: reader.natural("link.jointIndex"),
    jointTerm: reader.natural("link.jointTerm"),
    joint: readConfiguration(reader),
    signatures: readSignatures(reader, "link.signatures"),
  };
}

function packMember({ id, peerId, promote }: Member): Packed {
  return [id, peerId, promote];
}

function readMembers(reader: Reader, field: string, limit: number): Member[] {
  const members: Member[] = [];
  let previous = 0;
  for (let left = reader.list(field, limit); left > 0; left--) {
    reader.tuple("member", 3);
    const id = reader.id("member.id");
    checkRises(field, previous, id);
    previous = id;
    members.push({
      id,
      peerId: reader.name("member.peerId", LIMITS.peerIdLength),
      promote: reader.boolean("member.promote"),
    });
  }
  return members;
}

function readIds(reader: Reader, field: string, limit: number): NodeId[] {
  const ids: NodeId[] = [];
  let previous = 0;
  for (let left = reader.list(field, limit); left > 0; left--) {
    const id = reader.id(field);
    checkRises(field, previous, id);
    previous = id;
    ids.push(id);
  }
  return ids;
}

function checkRises(field: string, previous: NodeId, id: NodeId): void {
  if (id <= previous) throw new InvalidFrame(field, `${id} after ${previous}: ids must rise`);
}

/** All lists are sorted: one walk over the members meets everybody in the other three. */
function checkMembersAreUnion({ voters, outgoing, learners, members }: Configuration): void {
  let voter = 0;
  let leaver = 0;
  let learner = 0;
  for (const { id } of members) {
    const votes = voters[voter] === id;
    const leaves = outgoing[leaver] === id;
    const learns = learners[learner] === id;
    if (votes && learns) throw new InvalidFrame("configuration.learners", `${id} is a voter too`);
    if (!(votes || leaves || learns)) throw new InvalidFrame("configuration.members", `${id} is in no other list`);
    if (votes) voter++;
    if (leaves) leaver++;
    if (learns) learner++;
  }
  const stranger = voters[voter] ?? outgoing[leaver] ?? learners[learner];
  if (stranger !== undefined) throw new InvalidFrame("configuration.members", `${stranger} is missing`);
}

/** Neither an id nor an identity stands for two, and who has left is no member. */
function checkNobodyTwice({ members, retired }: Configuration): void {
  const identities = new Set<string>();
  let member = 0;
  for (const { id, peerId } of members) {
    if (identities.has(peerId)) throw new InvalidFrame("member.peerId", `${id} has another member's identity`);
    identities.add(peerId);
  }
  for (const { id, peerId } of retired) {
    if (identities.has(peerId)) throw new InvalidFrame("member.peerId", `the retired ${id} has another's identity`);
    identities.add(peerId);
    while ((members[member]?.id ?? id) < id) member++;
    if (members[member]?.id === id) throw new InvalidFrame("configuration.retired", `${id} is a member too`);
  }
}
