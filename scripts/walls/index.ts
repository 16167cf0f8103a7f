export { breachesIn } from "./project.ts";
