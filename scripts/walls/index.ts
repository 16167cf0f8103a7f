export { breachesIn } from "./project.ts";
export type { Breach } from "./source.ts";
