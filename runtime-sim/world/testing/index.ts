/** Small worlds, for the tests of the world's parts alone. */
export * from "./small-world.ts";
