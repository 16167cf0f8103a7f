/** Between nodes: libp2p over QUIC, or over TCP where no UDP gets through. */
export { parseAddress, reachableAddresses, withPort } from "./addresses.ts";
export type { PeerStatus } from "./link.ts";
export { askToJoin, Network, type NetworkHandlers, type NetworkPeer } from "./network.ts";
export { NetworkError } from "./network-error.ts";
export type { TransportKind } from "./transport.ts";
