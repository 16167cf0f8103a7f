/** The joining side of a join. The other side is in admit.ts. */
import { setTimeout as delay } from "node:timers/promises";
import type { PeerId } from "../../core/index.ts";
import type { Identity } from "../identity/index.ts";
import { askToJoin, type TransportKind } from "../network/index.ts";
import { formatJoinToken, makeToken, parseToken } from "../tokens/index.ts";
import {
  type Admission,
  decodeJoinAnswer,
  decodeReplacementAnswer,
  decodeWorkerAnswer,
  encodeJoinRequest,
  JoinRefused,
  type JoinRequest,
  type ReplacementRequest,
  type WorkerAdmission,
} from "./protocol.ts";

/** Longer than the member that is asked waits for other changes of the membership. */
const ASK_TIMEOUT_MS = 15_000;
const ATTEMPTS = 4;
/** The pause between two rounds. An election takes a second or two. */
const RETRY_MS = 1000;

interface Asking {
  readonly identity: Identity;
  readonly transport: TransportKind;
  /** Asked in turn, several times, until one answers. */
  readonly addresses: readonly string[];
}

type Joining = Asking & { readonly nodeId: number; readonly advertise: readonly string[]; readonly token: string };

/**
 * Asks to become a member.
 *
 * @throws JoinRefused; of kind `notNow` when nobody could be reached, and then the same request may be made again.
 * @throws InvalidToken
 */
export async function requestAdmission(joining: Joining): Promise<Admission> {
  return await join(joining, "member", (answer) => decodeJoinAnswer(answer, joining.nodeId));
}

/** Asks to become a worker that is no member. Throws what `requestAdmission` throws. */
export async function requestWorkerAdmission(joining: Joining): Promise<WorkerAdmission> {
  return await join(joining, "worker", decodeWorkerAnswer);
}

async function join<Answer>(
  joining: Joining,
  role: JoinRequest["role"],
  decode: (answer: Uint8Array) => Answer,
): Promise<Answer> {
  const { nodeId, advertise, token } = joining;
  const { id, secret, pins } = parseToken(token);
  if (pins === null)
    throw new JoinRefused("unknownToken", "this token is for the API: `blixard token create` makes one for joining");
  return await ask(
    joining,
    (peerId) => pins.isVoter(peerId),
    () => ({
      version: 1,
      kind: "join",
      tokenId: id,
      secret,
      pins: token.split(".")[3] ?? "",
      nodeId,
      addresses: [...advertise],
      role,
      wallMs: Date.now(),
    }),
    decode,
  );
}

/** Asks for a new id and a token for it, for a member whose data is lost. @throws JoinRefused */
export async function requestReplacement(
  asking: Asking,
): Promise<{ readonly nodeId: number; readonly replaces: number; readonly token: string }> {
  const token = makeToken();
  // Any member will do: nothing secret is shown, and the answer is of use only at the cluster that it names.
  const { nodeId, replaces, clusterId, voters } = await ask(
    asking,
    () => true,
    () => ({ version: 1, kind: "replacement", tokenId: token.id, secretHash: token.secretHash }),
    decodeReplacementAnswer,
  );
  return { nodeId, replaces, token: formatJoinToken(token, clusterId, voters) };
}

async function ask<Answer>(
  { identity, transport, addresses }: Asking,
  accept: (peerId: PeerId) => boolean,
  request: () => JoinRequest | ReplacementRequest,
  decode: (answer: Uint8Array) => Answer,
): Promise<Answer> {
  let last = new JoinRefused("notNow", "no address to ask");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await delay(RETRY_MS);
    for (const address of addresses) {
      /** The node at the address, if the token does not name it. */
      let stranger: PeerId | null = null;
      try {
        const { answer } = await askToJoin({
          identity,
          address,
          transport,
          timeoutMs: ASK_TIMEOUT_MS,
          request: encodeJoinRequest(request()),
          // The secret is shown only to those that the token names.
          accept(peerId) {
            if (accept(peerId)) return true;
            stranger = peerId;
            return false;
          },
        });
        return decode(answer);
      } catch (error) {
        if (error instanceof JoinRefused) {
          if (error.kind !== "notNow") throw error;
          last = error;
        } else if (stranger !== null) {
          throw new JoinRefused(
            "wrongCluster",
            `${address} is ${stranger}, whom the token does not vouch for: ask a node that was a voter of the token's cluster when it was made, or make a new token there`,
          );
        } else {
          const reason = error instanceof Error ? error.message : String(error);
          last = new JoinRefused("notNow", `${address} does not answer: ${reason}`);
        }
      }
    }
  }
  throw last;
}
