/** Addresses as text: host:port, an IPv6 host in brackets. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { NodeStartError } from "./errors.ts";
import type { TransportKind } from "./options.ts";

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

/** The same address with a port that is free now, if it had none. */
export async function withPort(bind: string, transport: TransportKind): Promise<string> {
  const address = parseAddress(bind);
  if (address === null)
    throw new NodeStartError(`${bind} is no address`, "give host:port, such as 127.0.0.1:7001 or [::1]:7001");
  if (address.port !== 0) return bind;
  const port = transport === "quic" ? await freeUdpPort(address.host) : await freeTcpPort(address.host);
  return formatAddress({ host: address.host, port });
}

function freeUdpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", reject);
    socket.bind(0, host, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** What others can dial: the address itself, or every outside address of this host when it listens on all of them. */
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
