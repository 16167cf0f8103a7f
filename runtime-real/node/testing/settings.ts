/** Settings of a member that remembers nothing yet. */
import type { NodeSettings } from "../../storage/index.ts";
import { DEFAULT_WORKER } from "../../worker/index.ts";

export const SETTINGS: NodeSettings = {
  nodeId: 1,
  peers: [],
  bind: "127.0.0.1:7001",
  advertise: ["127.0.0.1:7001"],
  transport: "quic",
  apiBind: null,
  works: true,
  worker: DEFAULT_WORKER,
  clusterId: "test-cluster",
  incarnation: 0,
  replaces: null,
};
