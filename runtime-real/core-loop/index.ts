/** What carries the core in the real world: the loop of its inputs and effects, and what it asks of its runtime. */
export { CoreLoop } from "./core-loop.ts";
export { realRuntime } from "./runtime.ts";
