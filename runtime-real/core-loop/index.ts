/** The loop that carries the core in the real world. */
export { type Core, Host, type World } from "./host.ts";
