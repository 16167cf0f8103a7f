/** Addresses as text: host:port, an IPv6 host in brackets. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { NodeStartError } from "../errors/index.ts";
import type { TransportKind } from "./transport.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Null when the text is no address. */
export function parseAddress(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? null : { host, port };
}

export function formatAddress({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Below the ports that systems use for outgoing connections: such a port may be taken after it was found free and
 * before it is listened on.
 */
const PORTS = { min: 10_000, max: 32_767 } as const;
const TRIES = 100;

/** The same address. If its port is 0, with a port that is free now. @throws NodeStartError */
export async function withPort(bind: string, transport: TransportKind): Promise<string> {
  const address = parseAddress(bind);
  if (address === null)
    throw new NodeStartError(`${bind} is no address`, "give host:port, such as 127.0.0.1:7001 or [::1]:7001");
  if (address.port !== 0) return bind;
  const isFree = transport === "quic" ? isUdpPortFree : isTcpPortFree;
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(PORTS.min, PORTS.max + 1);
    if (await isFree(address.host, port)) return formatAddress({ host: address.host, port });
  }
  throw new NodeStartError(`no port is free on ${address.host}`, "is the address this host's? Give a port with --bind");
}

function isUdpPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
}

function isTcpPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * What others can dial: the address itself, or all external addresses of this host if it listens on every interface.
 */
export function reachableAddresses(bind: string): readonly string[] {
  const address = parseAddress(bind);
  if (address === null || !["0.0.0.0", "::"].includes(address.host)) return [bind];
  const hosts = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(
      ({ internal, family, address: host }) =>
        !internal && !host.startsWith("fe80:") && (address.host === "::" || family === "IPv4"),
    )
    .map(({ address: host }) => formatAddress({ host, port: address.port }));
  return hosts.length > 0 ? hosts.slice(0, 8) : [formatAddress({ host: "127.0.0.1", port: address.port })];
}
