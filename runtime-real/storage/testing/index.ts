/** For tests of the storage, and of what uses one. */
export { GENESIS, RandomWrites, randomOf, SETTINGS } from "./random-writes.ts";
