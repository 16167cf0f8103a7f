/** For tests of the parts of a node. */
export { NodeView } from "./node-view.ts";
export { SETTINGS } from "./settings.ts";
