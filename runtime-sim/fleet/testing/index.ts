/** For tests of the simulated hypervisor. */
export * from "./hypervisor-bench.ts";
