/** The network of the guests on this host. */
export { type GuestDevice, guestDevices } from "./devices.ts";
export type { GuestNetworkOptions } from "./guest-network.ts";
export type { HostNetwork } from "./host-network.ts";
export { openGuestNetwork } from "./open-network.ts";
export { NoDeviceError } from "./prepared-network.ts";
export { RulesError } from "./rules.ts";
export { gatewayOf } from "./taps.ts";
export { withdraw } from "./withdraw.ts";
