/**
 * Changes the membership, and tries again while another change is under way. Promotions of learners come at any time.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ClientAnswer, ClientRequest, ConfigurationChange } from "../../core/index.ts";

const RETRY_MS = 50;

export async function changeMembership(
  request: (request: ClientRequest) => Promise<ClientAnswer>,
  change: ConfigurationChange,
  signal: AbortSignal,
): Promise<ClientAnswer> {
  for (;;) {
    const answer = await request({ kind: "changeMembership", changes: [change] });
    const isInTheWay =
      answer.kind === "refused" && answer.refusal.kind === "membershipRefused" && answer.refusal.isTemporary;
    if (!isInTheWay || signal.aborted) return answer;
    await delay(RETRY_MS);
  }
}
