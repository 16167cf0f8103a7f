/**
 * Command requests as bytes: one MessagePack array, versioned, with choices as numbers. What is accepted is deeply frozen and may be shared.
 *
 *     [1, session, kind, ...]         of somebody who did not say who he is
 *     [2, session, actor, kind, ...]
 */

import {
  array,
  CLUSTER_LIMITS,
  choice,
  integer,
  label,
  nullable,
  type RequestSession,
  TOKEN_PURPOSES,
  text,
  tuple,
  vmSpecSchema,
} from "../domain/index.ts";
import { decoded, InvalidField } from "../schema/index.ts";
import type { Command, CommandRequest } from "./command.ts";
import { addresses, nodeId, peerId, secretHash, tokenId } from "./identity-fields.ts";
import { InvalidCommand } from "./invalid.ts";
import { pack, unpack } from "./msgpack.ts";
import { orchestrationCommand } from "./orchestration-codec.ts";

const VERSION = 1;
const VERSION_WITH_ACTOR = 2;

const TAG = {
  openSession: 0,
  closeSession: 1,
  createVm: 2,
  updateVm: 3,
  deleteVm: 4,
  createToken: 5,
  revokeToken: 6,
  admitNode: 7,
  announceNode: 8,
  /** Everything since there are workers: one value in the format of orchestration-codec.ts. */
  orchestration: 9,
} as const;

// In a simulation many nodes decode the same bytes, shared by reference. Keyed by the object, so bytes must not change once they are made.
const decodedRequests = new WeakMap<Uint8Array, CommandRequest>();

/**
 * A request as the bytes that a client or a forwarding node sends.
 *
 * @throws InvalidCommand when a field breaks its limit; no replica would apply it.
 */
export function encodeRequest(request: CommandRequest): Uint8Array<ArrayBuffer> {
  return asInvalidCommand(() => {
    const parts = requestToArray(request);
    const checked = requestFromArray(parts);
    const bytes = pack(parts);
    checkSize(bytes.length);
    decodedRequests.set(bytes, checked);
    return bytes;
  });
}

/**
 * The request in `bytes`, deeply frozen. Cheap when the same object has been decoded before. The bytes must not change afterwards.
 *
 * @throws InvalidCommand, and nothing else, whatever the bytes are.
 */
export function decodeRequest(bytes: Uint8Array): CommandRequest {
  const known = decodedRequests.get(bytes);
  if (known !== undefined) return known;
  return asInvalidCommand(() => {
    checkSize(bytes.length);
    const request = requestFromArray(unpack(bytes, "request"));
    decodedRequests.set(bytes, request);
    return request;
  });
}

/** What these very bytes were decoded to before, if they were. */
export function knownRequest(bytes: Uint8Array): CommandRequest | undefined {
  return decodedRequests.get(bytes);
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes > CLUSTER_LIMITS.requestBytes)
    throw new InvalidField(
      "request",
      CLUSTER_LIMITS.requestBytes,
      `must have at most ${CLUSTER_LIMITS.requestBytes} bytes`,
    );
}

function asInvalidCommand<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidField) throw new InvalidCommand(error.field, error.limit, error.message);
    throw error;
  }
}

function requestToArray({ session, actor = null, command }: CommandRequest): readonly unknown[] {
  const sessionParts = session === null ? null : [session.id, session.sequence, session.lowestUnacknowledged];
  const head = actor === null ? [VERSION, sessionParts] : [VERSION_WITH_ACTOR, sessionParts, actor];
  return [...head, ...commandToArray(command)];
}

function commandToArray(command: Command): readonly unknown[] {
  switch (command.kind) {
    case "openSession":
      return [TAG.openSession, command.clientToken];
    case "closeSession":
      return [TAG.closeSession];
    case "createVm":
      return [TAG.createVm, command.name, vmSpecSchema.write(command.spec)];
    case "updateVm": {
      const { name, expectedGeneration, spec } = command;
      return [TAG.updateVm, name, expectedGeneration, vmSpecSchema.write(spec)];
    }
    case "deleteVm":
      return [TAG.deleteVm, command.name, command.expectedGeneration];
    case "createToken": {
      const { id, secretHash: hash, ttlMs, nodeId: forNode } = command;
      const purpose = TOKEN_PURPOSES.indexOf(command.purpose);
      return [TAG.createToken, id, hash, purpose, ttlMs, forNode];
    }
    case "revokeToken":
      return [TAG.revokeToken, command.id];
    case "admitNode": {
      const { tokenId, secretHash, nodeId: id, peerId: peer, addresses: known } = command;
      return [TAG.admitNode, tokenId, secretHash, id, peer, known];
    }
    case "announceNode":
      return [TAG.announceNode, command.nodeId, command.peerId, command.addresses];
    default:
      return [TAG.orchestration, orchestrationCommand.write(command)];
  }
}

function requestFromArray(value: unknown): CommandRequest {
  const parts = array(value, "request");
  const version = integer(parts[0], "request.version", VERSION, VERSION_WITH_ACTOR);
  const session = nullable(parts[1], "session", sessionFromArray);
  const saysWho = version === VERSION_WITH_ACTOR;
  const actor = saysWho ? text(parts[2], "actor", 1, CLUSTER_LIMITS.actorLength) : null;
  const command = commandFromArray(parts.slice(saysWho ? 3 : 2));
  if (command.kind === "openSession" && session !== null)
    throw new InvalidField("session", null, "must be absent when a session is opened");
  if (command.kind === "closeSession" && session === null)
    throw new InvalidField("session", null, "must be the session to close");
  return Object.freeze(actor === null ? { session, command } : { session, actor, command });
}

function sessionFromArray(value: unknown, field: string): RequestSession {
  const parts = tuple(value, field, 3);
  const id = integer(parts[0], `${field}.id`, 1, Number.MAX_SAFE_INTEGER);
  const sequence = integer(parts[1], `${field}.sequence`, 1, Number.MAX_SAFE_INTEGER);
  // By the request's own numbers alone: what is refused for being too far ahead is refused for ever, and can never apply after its refusal.
  const lowest = Math.max(1, sequence - CLUSTER_LIMITS.outstandingRequests + 1);
  const lowestUnacknowledged = integer(parts[2], `${field}.lowestUnacknowledged`, lowest, sequence);
  return Object.freeze({ id, sequence, lowestUnacknowledged });
}

function commandFromArray(parts: readonly unknown[]): Command {
  const tag = integer(parts[0], "command.kind", TAG.openSession, TAG.orchestration);
  switch (tag) {
    case TAG.openSession:
      tuple(parts, "command", 2);
      return Object.freeze({
        kind: "openSession",
        clientToken: text(parts[1], "command.clientToken", 1, CLUSTER_LIMITS.clientTokenLength),
      });
    case TAG.closeSession:
      tuple(parts, "command", 1);
      return Object.freeze({ kind: "closeSession" });
    case TAG.createVm:
      tuple(parts, "command", 3);
      return Object.freeze({
        kind: "createVm",
        name: label(parts[1], "command.name"),
        spec: decoded(vmSpecSchema, parts[2], "command.spec"),
      });
    case TAG.updateVm:
      tuple(parts, "command", 4);
      return Object.freeze({
        kind: "updateVm",
        name: label(parts[1], "command.name"),
        expectedGeneration: generation(parts[2], "command.expectedGeneration"),
        spec: decoded(vmSpecSchema, parts[3], "command.spec"),
      });
    case TAG.createToken:
      tuple(parts, "command", 6);
      return Object.freeze({
        kind: "createToken",
        id: tokenId(parts[1], "command.id"),
        secretHash: secretHash(parts[2], "command.secretHash"),
        purpose: choice(parts[3], "command.purpose", TOKEN_PURPOSES),
        ttlMs: integer(parts[4], "command.ttlMs", 1, CLUSTER_LIMITS.tokenTtlMs),
        nodeId: nullable(parts[5], "command.nodeId", nodeId),
      });
    case TAG.revokeToken:
      tuple(parts, "command", 2);
      return Object.freeze({ kind: "revokeToken", id: tokenId(parts[1], "command.id") });
    case TAG.admitNode:
      tuple(parts, "command", 6);
      return Object.freeze({
        kind: "admitNode",
        tokenId: tokenId(parts[1], "command.tokenId"),
        secretHash: secretHash(parts[2], "command.secretHash"),
        nodeId: nodeId(parts[3], "command.nodeId"),
        peerId: peerId(parts[4], "command.peerId"),
        addresses: addresses(parts[5], "command.addresses", 1),
      });
    case TAG.announceNode:
      tuple(parts, "command", 4);
      return Object.freeze({
        kind: "announceNode",
        nodeId: nodeId(parts[1], "command.nodeId"),
        peerId: peerId(parts[2], "command.peerId"),
        addresses: addresses(parts[3], "command.addresses", 1),
      });
    case TAG.orchestration:
      tuple(parts, "command", 2);
      return orchestrationCommand.read(parts[1], "command");
    default:
      tuple(parts, "command", 3);
      return Object.freeze({
        kind: "deleteVm",
        name: label(parts[1], "command.name"),
        expectedGeneration: nullable(parts[2], "command.expectedGeneration", generation),
      });
  }
}

function generation(value: unknown, field: string): number {
  return integer(value, field, 1, Number.MAX_SAFE_INTEGER);
}
