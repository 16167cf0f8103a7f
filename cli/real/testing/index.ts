export { askOver, RealCluster, RealNode, until } from "./real-cluster.ts";
export { SystemManager } from "./system-manager.ts";
