/** What carries the core in the real world: the loop of its inputs and effects, and what it asks of its runtime. */
export { type Core, CoreLoop, type LoopEnvironment } from "./core-loop.ts";
export { realRuntime } from "./runtime.ts";
