/** Handlers of a node that knows some members and workers and does nothing else, unless a test says what. */
import type { PeerId } from "../../../core/index.ts";
import type { NetworkHandlers } from "../index.ts";

export function handlersWith(
  { members = [], workers = [], removed = [] }: Partial<Record<"members" | "workers" | "removed", readonly PeerId[]>>,
  own: Partial<NetworkHandlers> = {},
): NetworkHandlers {
  return {
    message: () => undefined,
    toldAddresses: () => undefined,
    isMember: (peerId) => members.includes(peerId),
    isServer: (peerId) => members.includes(peerId),
    workers: {
      isWorker: (peerId) => workers.includes(peerId),
      isRemoved: (peerId) => removed.includes(peerId),
      report: () => Promise.resolve(null),
      servers: () => new Uint8Array(),
      routes: (version) => ({ version, messages: [] }),
    },
    toldServers: () => undefined,
    toldRoutes: () => undefined,
    toldRemoved: () => undefined,
    introduction: () => null,
    image: (_, question) => Promise.resolve(question),
    channel: (channel) => channel.close(),
    call: (_, request) => Promise.resolve(request),
    join: (_, request) => Promise.resolve(request),
    ...own,
  };
}
