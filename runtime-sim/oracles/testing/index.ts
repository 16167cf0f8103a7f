/** Hand-made clusters, entries and histories, for the tests of the oracles alone. */
export * from "./commands.ts";
export * from "./fake-cluster.ts";
export * from "./messages.ts";
