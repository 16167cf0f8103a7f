/** The consoles of machines, shown by any node of the cluster. */
export type { OpenConsole } from "./asking.ts";
export { Consoles, type ConsolesParts } from "./consoles.ts";
export { ConsoleHost } from "./host.ts";
export type { Line, LineListener } from "./line.ts";
