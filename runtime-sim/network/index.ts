/** The simulated network: what happens to messages on their way from host to host. */
export { damagedCopy } from "./damage.ts";
export { Links } from "./links.ts";
export { CALM_LINK, type LinkParameters, type LinkState, Network } from "./network.ts";
export {
  bridgeLinks,
  type Direction,
  groupLinks,
  isolateLinks,
  type LinkList,
  pairLinks,
  ringLinks,
} from "./partition.ts";
