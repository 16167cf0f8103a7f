/** libp2p, configured for QUIC, or for TCP with Noise in networks that let no UDP through. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { noise } from "@chainsafe/libp2p-noise";
import { quic } from "@chainsafe/libp2p-quic";
import { yamux } from "@chainsafe/libp2p-yamux";
import type { ConnectionGater, Ed25519PrivateKey, Libp2p } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

export type TransportKind = "quic" | "tcp";

/**
 * After this time without a packet a connection is dead: its kernel or its QUIC thread does not answer. JavaScript
 * that hangs is noticed by the pings of link.ts instead.
 */
const IDLE_TIMEOUT_MS = 1000;
const KEEP_ALIVE_MS = 300;

export async function createTransport(options: {
  readonly privateKey: Ed25519PrivateKey;
  readonly kind: TransportKind;
  readonly listen: readonly Multiaddr[];
  readonly gater: ConnectionGater;
}): Promise<Libp2p> {
  const { privateKey, kind, listen, gater } = options;
  return await createLibp2p({
    privateKey,
    addresses: { listen: listen.map(String) },
    connectionGater: gater,
    // The pings of libp2p say nothing about the node behind the transport.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: 4096,
      // When a cluster starts again, all nodes dial at once; in a test from one address.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 64,
      reconnectRetries: 0,
    },
    ...(kind === "quic"
      ? {
          transports: [
            quic({ maxIdleTimeout: IDLE_TIMEOUT_MS, keepAliveInterval: KEEP_ALIVE_MS, maxConcurrentStreamLimit: 512 }),
          ],
        }
      : { transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] }),
  });
}

/**
 * Stops the transport. That may hang because of something that a peer does not close; after `limitMs` the transport
 * is left to the end of the process. Never rejects: an Error that it resolves to is what stopping failed with.
 */
export async function stopWithin(
  transport: Pick<Libp2p, "stop">,
  limitMs: number,
): Promise<"stopped" | "hangs" | Error> {
  const { promise, resolve } = Promise.withResolvers<"stopped" | "hangs" | Error>();
  const limit = setTimeout(() => resolve("hangs"), limitMs);
  Promise.resolve(transport.stop()).then(
    () => resolve("stopped"),
    (error: unknown) => resolve(error instanceof Error ? error : new Error(String(error))),
  );
  const end = await promise;
  clearTimeout(limit);
  return end;
}

/** host:port in the form of libp2p. A host name is looked up. */
export async function multiaddrOf(host: string, port: number, kind: TransportKind): Promise<Multiaddr> {
  const address = isIP(host) === 0 ? (await lookup(host)).address : host;
  const family = isIP(address) === 6 ? "ip6" : "ip4";
  return multiaddr(`/${family}/${address}/${kind === "quic" ? `udp/${port}/quic-v1` : `tcp/${port}`}`);
}
