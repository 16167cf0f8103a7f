/** For tests. */
export { blixard, type Heard } from "./command-line.ts";
export { exampleTask, exampleVm } from "./examples.ts";
export { nodeIn } from "./node.ts";
