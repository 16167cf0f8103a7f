/** The network of this host, by iproute2. */
export { IpError, ip, ipBatch, ipJson, ROUTE_PROTOCOL } from "./iproute.ts";
