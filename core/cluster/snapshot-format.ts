/**
 * The snapshot format, version 4: a stream of items, each a big-endian 32-bit length and that many bytes of MessagePack, cut into chunks anywhere.
 *
 *     header    ["blixard-cluster", 4, appliedIndex, timeMs, vmCount, sessionCount, tokenCount, nodeCount, eventTotal]
 *     singles   what there is one of, and how many there are of the rest
 *     VMs       by bucket (hash.ts), then by name
 *     sessions  by bucket, then by id
 *     tokens    by id
 *     nodes     by id
 *     events    those that are kept, oldest first
 *     workers   by id
 *     tasks     by id
 *     tenants   by name, those that are limited
 *     pools     by name
 *
 * Version 3 had no strategy of address pools among the singles, knew of no removed workers, did not tell of a request which way it went, and did not count the moves of a rebalance; version 2 ended with the events, and had no singles;
 * version 1 had neither tokens nor nodes nor events. All are still read.
 *
 * Equal states have equal bytes for one chunk size, however they came about. What follows from the rest is not in it.
 */

import {
  array,
  CLUSTER_LIMITS,
  type ClusterEvent,
  type CommandResult,
  choice,
  DESIRED_STATES,
  integer,
  LIMIT_NAMES,
  label,
  list,
  NODE_ROLES,
  type NodeRecord,
  nullable,
  type Session,
  type StoredResponse,
  TOKEN_PURPOSES,
  type TokenRecord,
  text,
  tuple,
  VM_STATES,
  type VmRecord,
  vmSpecSchema,
} from "../domain/index.ts";
import { decoded, InvalidField } from "../schema/index.ts";
import { addresses, nodeId, peerId, secretHash, tokenId } from "./identity-fields.ts";
import {
  isOrchestrationEvent,
  NO_PLACEMENT,
  orchestrationApplied,
  orchestrationEvent,
  orchestrationRefusal,
  readEventOfVersion3,
  storedPlacement,
} from "./orchestration-codec.ts";
import type { ClusterState } from "./state.ts";

const MAGIC = "blixard-cluster";
const VERSION = 4;

export interface SnapshotHeader
  extends Pick<ClusterState, "appliedIndex" | "timeMs" | "vmCount" | "sessionCount" | "nodeCount"> {
  readonly tokenCount: number;
  readonly eventTotal: number;
  readonly version: number;
}

export function headerToArray(state: ClusterState): readonly unknown[] {
  const { appliedIndex, timeMs, vmCount, sessionCount, tokens, nodeCount, events } = state;
  return [MAGIC, VERSION, appliedIndex, timeMs, vmCount, sessionCount, tokens.size, nodeCount, events.total];
}

export function headerFromArray(value: unknown): SnapshotHeader {
  const parts = array(value, "header");
  if (parts[0] !== MAGIC) throw new InvalidField("header", null, "is not that of a cluster snapshot");
  const version = integer(parts[1], "header.version", 1, VERSION);
  tuple(parts, "header", version === 1 ? 6 : 9);
  return {
    version,
    appliedIndex: integer(parts[2], "header.appliedIndex", 0, Number.MAX_SAFE_INTEGER),
    timeMs: integer(parts[3], "header.timeMs", 0, CLUSTER_LIMITS.wallMs),
    vmCount: integer(parts[4], "header.vmCount", 0, CLUSTER_LIMITS.vms),
    sessionCount: integer(parts[5], "header.sessionCount", 0, CLUSTER_LIMITS.sessions),
    tokenCount: version === 1 ? 0 : integer(parts[6], "header.tokenCount", 0, CLUSTER_LIMITS.tokens),
    nodeCount: version === 1 ? 0 : integer(parts[7], "header.nodeCount", 0, CLUSTER_LIMITS.nodes),
    eventTotal: version === 1 ? 0 : integer(parts[8], "header.eventTotal", 0, Number.MAX_SAFE_INTEGER),
  };
}

export function vmToArray(vm: VmRecord): readonly unknown[] {
  return [
    vm.name,
    vmSpecSchema.write(vm.spec),
    VM_STATES.indexOf(vm.state),
    DESIRED_STATES.indexOf(vm.desired),
    vm.generation,
    vm.epoch,
    vm.createdIndex,
    vm.updatedIndex,
    vm.createdAtMs,
    vm.updatedAtMs,
    storedPlacement.write(vm),
  ];
}

export function vmFromArray(value: unknown, field: string, header: SnapshotHeader): VmRecord {
  const parts = tuple(value, field, header.version < 3 ? 10 : 11);
  const spec = decoded(vmSpecSchema, parts[1], `${field}.spec`);
  const updatedIndex = integer(parts[7], `${field}.updatedIndex`, 1, header.appliedIndex);
  const updatedAtMs = integer(parts[9], `${field}.updatedAtMs`, 0, header.timeMs);
  return Object.freeze({
    name: label(parts[0], `${field}.name`),
    tenant: spec.tenant,
    spec,
    state: choice(parts[2], `${field}.state`, VM_STATES),
    desired: choice(parts[3], `${field}.desired`, DESIRED_STATES),
    generation: integer(parts[4], `${field}.generation`, 1, Number.MAX_SAFE_INTEGER),
    epoch: integer(parts[5], `${field}.epoch`, 0, Number.MAX_SAFE_INTEGER),
    createdIndex: integer(parts[6], `${field}.createdIndex`, 1, updatedIndex),
    updatedIndex,
    createdAtMs: integer(parts[8], `${field}.createdAtMs`, 0, updatedAtMs),
    updatedAtMs,
    ...(header.version < 3 ? NO_PLACEMENT : storedPlacement.read(parts[10], `${field}.placement`)),
  });
}

export function sessionToArray(session: Session): readonly unknown[] {
  return [
    session.id,
    session.clientToken,
    session.lastActiveIndex,
    session.lowestUnacknowledged,
    session.responses.map(({ sequence, result }) => [sequence, resultToArray(result)]),
  ];
}

export function sessionFromArray(value: unknown, field: string, header: SnapshotHeader): Session {
  const parts = tuple(value, field, 5);
  const lastActiveIndex = integer(parts[2], `${field}.lastActiveIndex`, 1, header.appliedIndex);
  const lowestUnacknowledged = integer(parts[3], `${field}.lowestUnacknowledged`, 1, Number.MAX_SAFE_INTEGER);
  const responses = list(parts[4], `${field}.responses`, CLUSTER_LIMITS.outstandingRequests, responseFromArray);
  let lowest = lowestUnacknowledged;
  const highest = lowestUnacknowledged + CLUSTER_LIMITS.outstandingRequests - 1;
  for (const { sequence } of responses) lowest = integer(sequence, `${field}.responses.sequence`, lowest, highest) + 1;
  return Object.freeze({
    id: integer(parts[0], `${field}.id`, 1, lastActiveIndex),
    clientToken: text(parts[1], `${field}.clientToken`, 1, CLUSTER_LIMITS.clientTokenLength),
    lastActiveIndex,
    lowestUnacknowledged,
    responses,
  });
}

function responseFromArray(value: unknown, field: string): StoredResponse {
  const parts = tuple(value, field, 2);
  return Object.freeze({
    sequence: integer(parts[0], `${field}.sequence`, 1, Number.MAX_SAFE_INTEGER),
    result: resultFromArray(parts[1], `${field}.result`),
  });
}

export function tokenToArray(token: TokenRecord): readonly unknown[] {
  return [
    token.id,
    token.secretHash,
    TOKEN_PURPOSES.indexOf(token.purpose),
    token.nodeId,
    token.createdAtMs,
    token.expiresAtMs,
    token.usedBy,
    token.revokedAtMs,
  ];
}

export function tokenFromArray(value: unknown, field: string, header: SnapshotHeader): TokenRecord {
  const parts = tuple(value, field, 8);
  const createdAtMs = integer(parts[4], `${field}.createdAtMs`, 0, header.timeMs);
  return Object.freeze({
    id: tokenId(parts[0], `${field}.id`),
    secretHash: secretHash(parts[1], `${field}.secretHash`),
    purpose: choice(parts[2], `${field}.purpose`, TOKEN_PURPOSES),
    nodeId: nullable(parts[3], `${field}.nodeId`, nodeId),
    createdAtMs,
    expiresAtMs: integer(parts[5], `${field}.expiresAtMs`, createdAtMs, CLUSTER_LIMITS.wallMs),
    usedBy: nullable(parts[6], `${field}.usedBy`, nodeId),
    revokedAtMs: nullable(parts[7], `${field}.revokedAtMs`, (at, name) =>
      integer(at, name, createdAtMs, header.timeMs),
    ),
  });
}

export function nodeToArray(node: NodeRecord): readonly unknown[] {
  return [node.id, node.peerId, node.addresses, NODE_ROLES.indexOf(node.role)];
}

export function nodeFromArray(value: unknown, field: string): NodeRecord {
  const parts = tuple(value, field, 4);
  return Object.freeze({
    id: nodeId(parts[0], `${field}.id`),
    peerId: peerId(parts[1], `${field}.peerId`),
    addresses: addresses(parts[2], `${field}.addresses`, 0),
    role: choice(parts[3], `${field}.role`, NODE_ROLES),
  });
}

const EVENT_KINDS = [
  "vmCreated",
  "vmUpdated",
  "vmDeleted",
  "tokenCreated",
  "tokenRevoked",
  "nodeAdmitted",
  "nodeAnnounced",
  "membershipChanged",
  "orchestration",
] as const;

export function eventToArray(event: ClusterEvent): readonly unknown[] {
  if (isOrchestrationEvent(event)) return [EVENT_KINDS.indexOf("orchestration"), orchestrationEvent.write(event)];
  const head = [EVENT_KINDS.indexOf(event.kind), event.index, event.term, event.atMs];
  switch (event.kind) {
    case "vmCreated":
    case "vmUpdated":
    case "vmDeleted":
      return [...head, event.name, event.tenant, event.generation];
    case "tokenCreated":
      return [...head, event.tokenId, TOKEN_PURPOSES.indexOf(event.purpose)];
    case "tokenRevoked":
      return [...head, event.tokenId];
    case "nodeAdmitted":
      return [...head, event.nodeId, event.tokenId];
    case "nodeAnnounced":
      return [...head, event.nodeId, event.addresses];
    case "membershipChanged":
      return [...head, event.voters, event.learners];
  }
}

export function eventFromArray(value: unknown, field: string, header: SnapshotHeader): ClusterEvent {
  const parts = array(value, field);
  const kind = choice(parts[0], `${field}.kind`, EVENT_KINDS);
  if (kind === "orchestration") {
    const event = tuple(parts, field, 2)[1];
    return header.version < 4 ? readEventOfVersion3(event, field) : orchestrationEvent.read(event, field);
  }
  const head = {
    index: integer(parts[1], `${field}.index`, 1, header.appliedIndex),
    term: integer(parts[2], `${field}.term`, 0, Number.MAX_SAFE_INTEGER),
    atMs: integer(parts[3], `${field}.atMs`, 0, header.timeMs),
  };
  switch (kind) {
    case "vmCreated":
    case "vmUpdated":
    case "vmDeleted":
      tuple(parts, field, 7);
      return Object.freeze({
        ...head,
        kind,
        name: label(parts[4], `${field}.name`),
        tenant: label(parts[5], `${field}.tenant`),
        generation: positive(parts[6], `${field}.generation`),
      });
    case "tokenCreated":
      tuple(parts, field, 6);
      return Object.freeze({
        ...head,
        kind,
        tokenId: tokenId(parts[4], `${field}.tokenId`),
        purpose: choice(parts[5], `${field}.purpose`, TOKEN_PURPOSES),
      });
    case "tokenRevoked":
      tuple(parts, field, 5);
      return Object.freeze({ ...head, kind, tokenId: tokenId(parts[4], `${field}.tokenId`) });
    case "nodeAdmitted":
      tuple(parts, field, 6);
      return Object.freeze({
        ...head,
        kind,
        nodeId: nodeId(parts[4], `${field}.nodeId`),
        tokenId: tokenId(parts[5], `${field}.tokenId`),
      });
    case "nodeAnnounced":
      tuple(parts, field, 6);
      return Object.freeze({
        ...head,
        kind,
        nodeId: nodeId(parts[4], `${field}.nodeId`),
        addresses: addresses(parts[5], `${field}.addresses`, 1),
      });
    case "membershipChanged":
      tuple(parts, field, 6);
      return Object.freeze({
        ...head,
        kind,
        voters: list(parts[4], `${field}.voters`, CLUSTER_LIMITS.members, nodeId),
        learners: list(parts[5], `${field}.learners`, CLUSTER_LIMITS.members, nodeId),
      });
  }
}

const RESULT_KINDS = [
  "vmCreated",
  "vmUpdated",
  "vmDeleted",
  "vmExists",
  "vmNotFound",
  "generationMismatch",
  "limitReached",
  "tokenCreated",
  "tokenRevoked",
  "nodeAdmitted",
  "nodeAnnounced",
  "tokenExists",
  "tokenNotForJoining",
  // A result and a refusal have this name.
  "refusedTokenRevoked",
  "tokenNotFound",
  "tokenExpired",
  "tokenUsed",
  "tokenForAnotherNode",
  "nodeIdTaken",
  "peerIdTaken",
  "orchestrationApplied",
  "orchestrationRefused",
  "rebalanced",
] as const;

function resultToArray(result: CommandResult): readonly unknown[] {
  if (result.ok) {
    switch (result.kind) {
      case "vmCreated":
      case "vmUpdated":
      case "vmDeleted":
        return [RESULT_KINDS.indexOf(result.kind), result.generation];
      case "tokenCreated":
        return [RESULT_KINDS.indexOf(result.kind), result.expiresAtMs];
      case "tokenRevoked":
      case "nodeAdmitted":
      case "nodeAnnounced":
        return [RESULT_KINDS.indexOf(result.kind)];
      case "rebalanced":
        return [RESULT_KINDS.indexOf(result.kind), result.moved, result.refused];
      default:
        return [RESULT_KINDS.indexOf("orchestrationApplied"), orchestrationApplied.write(result.kind)];
    }
  }
  const { refusal } = result;
  const name = RESULT_KINDS.find((known) => known === refusal.kind);
  const kind = RESULT_KINDS.indexOf(
    refusal.kind === "tokenRevoked" ? "refusedTokenRevoked" : (name ?? "orchestrationRefused"),
  );
  switch (refusal.kind) {
    case "vmExists":
    case "vmNotFound":
    case "tokenExists":
    case "tokenNotForJoining":
    case "tokenRevoked":
    case "tokenNotFound":
      return [kind];
    case "tokenExpired":
      return [kind, refusal.expiredAtMs];
    case "tokenUsed":
    case "tokenForAnotherNode":
    case "nodeIdTaken":
    case "peerIdTaken":
      return [kind, refusal.nodeId];
    case "generationMismatch":
      return [kind, refusal.expected, refusal.actual];
    case "limitReached":
      // As version 1 had it, when there was one limit.
      return refusal.limit === "vms"
        ? [kind, refusal.maximum]
        : [kind, refusal.maximum, LIMIT_NAMES.indexOf(refusal.limit)];
    default:
      return [kind, orchestrationRefusal.write(refusal)];
  }
}

function resultFromArray(value: unknown, field: string): CommandResult {
  const kind = choice(array(value, field)[0], `${field}.kind`, RESULT_KINDS);
  switch (kind) {
    case "vmCreated":
    case "vmUpdated":
    case "vmDeleted":
      return Object.freeze({ ok: true, kind, generation: positive(tuple(value, field, 2)[1], `${field}.generation`) });
    case "tokenCreated": {
      const expiresAtMs = integer(tuple(value, field, 2)[1], `${field}.expiresAtMs`, 0, CLUSTER_LIMITS.wallMs);
      return Object.freeze({ ok: true, kind, expiresAtMs });
    }
    case "tokenRevoked":
    case "nodeAdmitted":
    case "nodeAnnounced":
      tuple(value, field, 1);
      return Object.freeze({ ok: true, kind });
    case "orchestrationApplied": {
      const applied = orchestrationApplied.read(tuple(value, field, 2)[1], `${field}.applied`);
      if (applied !== "rebalanced") return Object.freeze({ ok: true, kind: applied });
      // As version 3 had it.
      return Object.freeze({ ok: true, kind: applied, moved: null, refused: null });
    }
    case "rebalanced": {
      const parts = tuple(value, field, 3);
      const moved = nullable(parts[1], `${field}.moved`, movesOf);
      return Object.freeze({ ok: true, kind, moved, refused: nullable(parts[2], `${field}.refused`, movesOf) });
    }
    case "orchestrationRefused": {
      const refusal = orchestrationRefusal.read(tuple(value, field, 2)[1], `${field}.refusal`);
      return Object.freeze({ ok: false, refusal });
    }
    case "vmExists":
    case "vmNotFound":
    case "tokenExists":
    case "tokenNotForJoining":
    case "tokenNotFound":
      tuple(value, field, 1);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind }) });
    case "refusedTokenRevoked":
      tuple(value, field, 1);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind: "tokenRevoked" }) });
    case "tokenExpired": {
      const expiredAtMs = integer(tuple(value, field, 2)[1], `${field}.expiredAtMs`, 0, CLUSTER_LIMITS.wallMs);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind, expiredAtMs }) });
    }
    case "tokenUsed":
    case "tokenForAnotherNode":
    case "nodeIdTaken":
    case "peerIdTaken": {
      const id = nodeId(tuple(value, field, 2)[1], `${field}.nodeId`);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind, nodeId: id }) });
    }
    case "generationMismatch": {
      const parts = tuple(value, field, 3);
      const expected = positive(parts[1], `${field}.expected`);
      const actual = positive(parts[2], `${field}.actual`);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind, expected, actual }) });
    }
    case "limitReached": {
      const parts = array(value, field);
      tuple(parts, field, parts.length === 3 ? 3 : 2);
      const limit = parts.length === 3 ? choice(parts[2], `${field}.limit`, LIMIT_NAMES) : "vms";
      // One encoding only.
      if (parts.length === 3 && limit === "vms")
        throw new InvalidField(`${field}.limit`, null, "must be left out for VMs");
      return Object.freeze({
        ok: false,
        refusal: Object.freeze({ kind, limit, maximum: positive(parts[1], `${field}.maximum`) }),
      });
    }
  }
}

function movesOf(value: unknown, field: string): number {
  return integer(value, field, 0, CLUSTER_LIMITS.observations);
}

function positive(value: unknown, field: string): number {
  return integer(value, field, 1, Number.MAX_SAFE_INTEGER);
}
