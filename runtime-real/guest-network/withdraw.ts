/** What ends with a machine even if its node does not see it end: the device with its route, and the answers. */
import { IpError, ipBatch } from "../iproute/index.ts";
import { withdrawStaleAnswers } from "./uplink.ts";

/** Nothing is left of them afterwards, or the host does not let this process remove it. Never rejects. */
export async function withdraw(taps: readonly string[]): Promise<void> {
  try {
    await ipBatch(taps.map((tap) => `link delete dev ${tap}`));
  } catch (error) {
    // The node may have been faster.
    if (!(error instanceof IpError)) throw error;
  }
  try {
    await withdrawStaleAnswers();
  } catch {
    // Without its device a guest is not answered for by ARP all the same.
  }
}
