/** The network of the guests on this host. */
export { type GuestDevice, guestDevices } from "./devices.ts";
export { GuestNetwork, type GuestNetworkOptions } from "./guest-network.ts";
export { RulesError } from "./rules.ts";
export { gatewayOf } from "./taps.ts";
export { withdraw } from "./withdraw.ts";
