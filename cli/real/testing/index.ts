export { RealCluster, RealNode, until } from "./real-cluster.ts";
