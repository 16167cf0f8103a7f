/** What the tests of this folder share: histories made by hand, and a checker so simple that it can be trusted. */
export * from "./brute-force.ts";
export * from "./histories.ts";
