/** For tests of the parts of a node. */
export { SETTINGS } from "./settings.ts";
