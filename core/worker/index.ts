/** The agent of a host that runs machines, and the contract between it, its host and the cluster. */
export * from "./types.ts";
