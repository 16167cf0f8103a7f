/**
 * Calls between members. A call carries either a procedure that only the leader can do, or a join that was asked of a
 * member which is not the leader. Its first byte says which.
 */
import type { Logger } from "pino";
import type { Member, PeerId } from "../../core/index.ts";
import {
  type AnswerOf,
  type CallContext,
  type CheckedRequestOf,
  decodeCallAnswer,
  encodeCall,
  type ProcedureName,
} from "../api/index.ts";

const PROCEDURE_TIMEOUT_MS = 10_000;
const JOIN_TIMEOUT_MS = 12_000;

/** The first byte of a call. */
const KIND = { procedure: 1, join: 2 } as const;

export interface MemberCallsParts {
  /** Asks a member and resolves to its answer. @throws NetworkError */
  send(to: PeerId, request: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<Uint8Array>;
  /** The leader, if it is another member; null: none is known, or this node leads. */
  leader(): Member | null;
  /** Answers a procedure that the member `from` calls. */
  procedure(from: PeerId, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Answers a join that `joining` asked of another member. */
  join(joining: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  readonly log: Pick<Logger, "warn">;
}

export class MemberCalls {
  readonly #parts: MemberCallsParts;

  constructor(parts: MemberCallsParts) {
    this.#parts = parts;
  }

  /** @throws ApiError, NetworkError */
  async callProcedure<Name extends ProcedureName>(
    to: PeerId,
    name: Name,
    body: CheckedRequestOf<Name>,
    { requestId, signal }: Pick<CallContext, "requestId" | "signal">,
  ): Promise<AnswerOf<Name>> {
    const request = framed(KIND.procedure, [encodeCall(name, body, requestId)]);
    return decodeCallAnswer<Name>(await this.#parts.send(to, request, PROCEDURE_TIMEOUT_MS, signal));
  }

  /** Asks the leader to answer a join. Null: none is known, this node leads, or the leader does not answer. */
  async forwardJoin(joining: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array | null> {
    const leader = this.#parts.leader();
    if (leader === null) return null;
    const name = new TextEncoder().encode(joining);
    const call = framed(KIND.join, [new Uint8Array([name.length]), name, request]);
    try {
      return await this.#parts.send(leader.peerId, call, JOIN_TIMEOUT_MS, signal);
    } catch (error) {
      this.#parts.log.warn({ err: error, leader: leader.id }, "the leader did not answer a join");
      return null;
    }
  }

  /** Answers what the member `from` calls. @throws Error for an unknown kind of call. */
  async answer(from: PeerId, call: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const body = call.subarray(1);
    switch (call[0]) {
      case KIND.procedure:
        return await this.#parts.procedure(from, body, signal);
      case KIND.join: {
        const length = body[0] ?? 0;
        const joining = new TextDecoder().decode(body.subarray(1, 1 + length));
        return await this.#parts.join(joining, body.subarray(1 + length), signal);
      }
      default:
        throw new Error(`a call of the unknown kind ${call[0]}`);
    }
  }
}

function framed(kind: number, parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([new Uint8Array([kind]), ...parts]);
}
