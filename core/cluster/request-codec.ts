/**
 * Command requests as bytes: one versioned MessagePack array, with choices as numbers. A decoded request is deeply
 * frozen and may be shared.
 *
 *     [1, session, kind, ...]         the client did not say who it is
 *     [2, session, actor, kind, ...]
 */

import { CLUSTER_LIMITS, requestSessionSchema } from "../domain/index.ts";
import { decoded, InvalidField, integer, nullable, text } from "../schema/index.ts";
import { type CommandRequest, commandSchema } from "./command.ts";
import { InvalidCommand } from "./invalid.ts";
import { pack, unpack } from "./msgpack.ts";

const VERSION = 1;
const VERSION_WITH_ACTOR = 2;

const versionSchema = integer(VERSION, VERSION_WITH_ACTOR);
const sessionSchema = nullable(requestSessionSchema);
const actorSchema = text(1, CLUSTER_LIMITS.actorLength);

// In a simulation many nodes decode the same bytes, shared by reference. Keyed by the object, so bytes must not
// change once they are made.
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
 * The request in `bytes`, deeply frozen. Cheap when the same object has been decoded before. The bytes must not
 * change afterwards.
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
  const encoded = commandSchema.write(command);
  const commandParts: readonly unknown[] = Array.isArray(encoded) ? encoded : [];
  const sessionParts = sessionSchema.write(session);
  return actor === null
    ? [VERSION, sessionParts, ...commandParts]
    : [VERSION_WITH_ACTOR, sessionParts, actor, ...commandParts];
}

function requestFromArray(value: unknown): CommandRequest {
  if (!Array.isArray(value)) throw new InvalidField("request", null, "must be a list");
  const parts: readonly unknown[] = value;
  const version = decoded(versionSchema, parts[0], "request.version");
  const session = decoded(sessionSchema, parts[1], "session");
  const saysWho = version === VERSION_WITH_ACTOR;
  const actor = saysWho ? decoded(actorSchema, parts[2], "actor") : null;
  const command = decoded(commandSchema, parts.slice(saysWho ? 3 : 2), "command");
  if (command.kind === "openSession" && session !== null)
    throw new InvalidField("session", null, "must be absent when a session is opened");
  if (command.kind === "closeSession" && session === null)
    throw new InvalidField("session", null, "must be the session to close");
  return Object.freeze(actor === null ? { session, command } : { session, actor, command });
}
