/** What several parts of this room do with files. */
export { makeDurable } from "./durable.ts";
