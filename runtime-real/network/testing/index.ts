/** For tests of the network. `peer.ts` is a program that they start. */
export { handlersWith } from "./handlers.ts";
