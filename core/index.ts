/** The door of the core: what the two runtimes, the scenarios and the command line may know of it. */
export * from "./cluster/index.ts";
export { type Applied, Node } from "./node.ts";
export * from "./raft/index.ts";
export * from "./runtime.ts";
export * from "./wire/index.ts";
