/** Between nodes: libp2p over QUIC, or over TCP where no UDP gets through. */
export { parseAddress, reachableAddresses, withPort } from "./addresses.ts";
export { askToJoin } from "./ask-to-join.ts";
export type { Channel } from "./channel.ts";
export type { PeerStatus } from "./link.ts";
export { Network, type NetworkPeer } from "./network.ts";
export { NetworkError } from "./network-error.ts";
export type { NetworkHandlers } from "./network-handlers.ts";
export type { TransportKind } from "./transport.ts";
