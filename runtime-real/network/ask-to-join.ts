/** A request over the join protocol, from a node that has no network yet. */
import type { PeerId } from "../../core/index.ts";
import type { Identity } from "../identity/index.ts";
import { parseAddress } from "./addresses.ts";
import { exchange } from "./exchange.ts";
import { NetworkError } from "./network-error.ts";
import { CALL_LIMIT_BYTES, PROTOCOLS } from "./protocols.ts";
import { createTransport, multiaddrOf, stopWithin, type TransportKind } from "./transport.ts";

/**
 * Asks the node at an address. Only the address is known of it.
 *
 * @throws NetworkError, also when `accept` refuses the peer at that address. Then the peer has been told nothing.
 */
export async function askToJoin(options: {
  readonly identity: Identity;
  readonly address: string;
  readonly transport: TransportKind;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
  accept(peerId: PeerId): boolean;
}): Promise<{ readonly peerId: PeerId; readonly answer: Uint8Array }> {
  const { identity, address: text, transport, request, timeoutMs, accept } = options;
  const address = parseAddress(text);
  if (address === null) throw new NetworkError("notConnected", `${text} is no address`, "give host:port");
  const libp2p = await createTransport({ privateKey: identity.privateKey, kind: transport, listen: [], gater: {} });
  try {
    const target = await multiaddrOf(address.host, address.port, transport);
    const connection = await libp2p
      .dial(target, { signal: AbortSignal.timeout(Math.min(timeoutMs, 3000)) })
      .catch((error: unknown) => {
        throw new NetworkError(
          "notConnected",
          error instanceof Error ? error.message : String(error),
          "is the node up, and the address right?",
        );
      });
    const peerId = connection.remotePeer.toString();
    if (!accept(peerId)) throw new NetworkError("notConnected", `the node at ${text} is ${peerId}`, "ask another node");
    return {
      peerId,
      answer: await exchange(connection, PROTOCOLS.join, request, AbortSignal.timeout(timeoutMs), CALL_LIMIT_BYTES),
    };
  } finally {
    await stopWithin(libp2p, 500);
  }
}
