/**
 * Every request that a process was asked is answered within its time-out, as the process's own clock counts; or the
 * process ends, and with it the connection.
 *
 * Checks, about once in a virtual second, the oldest unanswered request of each honest process: none is older than
 * `requestTimeoutMs`, unless an input still waits for the process, because it is paused or slow. A frozen clock needs
 * no excuse: by it no time passes. A process that stops itself must have answered all before. Does not check: what the
 * answer says; how soon within the time-out it comes.
 */
import type { NodeId } from "../../core/index.ts";
import type { MemberView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

const LOOK_EVERY_MS = 1000;
/** A wake that is due at this very instant may still be in the queue. */
const SLACK_MS = 1;

interface Asked {
  readonly requestId: number;
  /** By the clock of the process. */
  readonly askedMs: number;
}

/** What one process was asked, oldest first. */
interface Queue {
  readonly member: MemberView;
  asked: Asked[];
  /** The request that was found overdue at the last look; it may have come due at the very instant. */
  overdue: number | null;
}

export function answeredInTime({ violate, conditions, raft, looks }: OracleContext): Oracle {
  const name = "answered-in-time";
  const queues = new Map<NodeId, Queue>();

  const oracle: Oracle = {
    name,
    summary: "every request is answered within its time-out",
    checks: 0,
    booted({ member }) {
      queues.set(member.id, { member, asked: [], overdue: null });
    },
    crashed({ member }) {
      queues.delete(member.id);
    },
    requested(member, requestId) {
      queues.get(member.id)?.asked.push({ requestId, askedMs: conditions.host(member).clockMs });
    },
  };

  function look(queue: Queue): void {
    const { member, asked } = queue;
    const oldest = asked.findIndex(({ requestId }) => member.awaits(requestId));
    queue.asked = oldest === -1 ? [] : asked.slice(oldest);
    const [first] = queue.asked;
    if (first === undefined) {
      queue.overdue = null;
      return;
    }
    oracle.checks += 1;
    const { clockMs, keepsInputsWaiting } = conditions.host(member);
    const waitedMs = clockMs - first.askedMs;
    if (keepsInputsWaiting || waitedMs <= raft.requestTimeoutMs + SLACK_MS) {
      queue.overdue = null;
    } else if (queue.overdue === first.requestId) {
      violate(
        name,
        () =>
          `node ${member.id} has not answered request ${first.requestId} for ${waitedMs} ms of its own clock; it ` +
          `should have after ${raft.requestTimeoutMs}`,
      );
    } else {
      queue.overdue = first.requestId;
    }
  }

  looks.every(LOOK_EVERY_MS, () => {
    for (const queue of queues.values()) look(queue);
  });
  return oracle;
}
