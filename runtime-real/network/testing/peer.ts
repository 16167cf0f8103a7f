/**
 * A node's network in a process of its own, to be killed and stopped: `peer.ts KEYFILE BIND TRANSPORT OTHERID
 * OTHERPEER OTHERADDRESS`. Prints the messages it gets.
 */
import { pino } from "pino";
import { Identity } from "../../identity/index.ts";
import { Network } from "../index.ts";

const [key = "", bind = "", transport = "quic", id = "1", peerId = "", address = ""] = process.argv.slice(2);
const network = await Network.start({
  identity: Identity.load(key),
  nodeId: 2,
  clusterId: "test",
  incarnation: 0,
  bind,
  addresses: [bind],
  transport: transport === "tcp" ? "tcp" : "quic",
  log: pino({ level: "silent" }),
  handlers: {
    message(_, message) {
      process.stdout.write(`${message.type} ${message.term}\n`);
      // Its JavaScript hangs, and the transport's own threads do not.
      for (const untilMs = performance.now() + (message.term === 666 ? 10_000 : 0); performance.now() < untilMs; );
    },
    isMember: (peer) => peer === peerId,
    toldAddresses: () => undefined,
    isServer: (peer) => peer === peerId,
    workers: null,
    toldServers: () => undefined,
    toldRoutes: () => undefined,
    toldRemoved: () => undefined,
    introduction: () => null,
    image: (_, question) => Promise.resolve(question),
    channel: (channel) => channel.close(),
    call: async (_, request) => request,
    join: async (_, request) => request,
  },
});
network.setPeers([{ id: Number(id), peerId, addresses: [address] }]);
process.stdout.write("up 0\n");
