/** What ends with a machine even if its node does not see it end: the device with its route, and the answers. */
import { ipBatch } from "../iproute/index.ts";
import { GUEST_DEVICE, withdrawStaleAnswers } from "./uplink.ts";

/** Nothing is left of them afterwards, or the host does not let this process remove it. Never rejects. */
export async function withdraw(taps: readonly string[]): Promise<void> {
  if (taps.length === 0) return;
  try {
    // Those that were made in advance stay.
    const own = taps.filter((tap) => GUEST_DEVICE.test(tap));
    await ipBatch(own.map((tap) => `link delete dev ${tap}`));
  } catch {
    // The node may have been faster.
  }
  try {
    await withdrawStaleAnswers();
  } catch {
    // Without its device a guest is not answered for by ARP all the same.
  }
}
