/**
 * While faults last: where members can serve, clients are served. Whenever there is an able quorum (able-quorum.ts)
 * without a break for 20 election time-outs, then somebody's write has been carried out within that time, or hardly
 * anybody asked: the members of that quorum have turned fewer than 50 writes away. The same for reads. Clients ask all
 * over the cluster, and most nodes they ask can pass them on to a leader: that 50 in a row all meet one who cannot is
 * as good as impossible.
 *
 * Being served is an answer of the state machine, its refusals included. Looks about once in an election time-out,
 * and counts a check when somebody was turned away. Does not check: how soon a client is served; stale reads, which
 * anybody answers; reports of workers, changes of the membership and transfers; runs with a liar; the time after the
 * faults (the quiet phase does).
 */
import type { ClientAnswer, ClientRequest, NodeId } from "../../core/index.ts";
import { ableQuorum } from "./able-quorum.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

const BOUND_TIMEOUTS = 20;
const TURNED_AWAY_MAX = 50;

type Kind = "write" | "read";

interface Served {
  /** When one was last carried out. */
  lastMs: number;
  /** How many each member has turned away since. */
  readonly turnedAway: Map<NodeId, number>;
}

export function clientsServed({ violate, members, health, raft, looks, nowMs }: OracleContext): Oracle {
  const name = "clients-served";
  const boundMs = BOUND_TIMEOUTS * raft.electionTimeoutMs;
  const served: Readonly<Record<Kind, Served>> = {
    write: { lastMs: 0, turnedAway: new Map() },
    read: { lastMs: 0, turnedAway: new Map() },
  };
  /** What each process was asked and has not answered. */
  const asked = new Map<NodeId, Map<number, Kind>>();
  let isQuiet = false;

  function look(oracle: Oracle, kind: Kind, now: number): void {
    const { lastMs, turnedAway } = served[kind];
    if (turnedAway.size === 0 || now < boundMs) return;
    // Only now is it worth the search for an able quorum.
    const able = ableQuorum(health, now - boundMs, "fair");
    if (able === null) return;
    oracle.checks += 1;
    let count = 0;
    for (const id of able) count += turnedAway.get(id) ?? 0;
    if (lastMs > now - boundMs || count < TURNED_AWAY_MAX) return;
    violate(
      name,
      () =>
        `no ${kind} was carried out for ${now - lastMs} ms, and members ${able.join(", ")} have turned ${count} away ` +
        `meanwhile, although they are sound, connected and a quorum of all configurations in force since ${boundMs} ms`,
    );
  }

  const oracle: Oracle = {
    name,
    summary: "where a sound and connected quorum is, reads and writes of clients are carried out",
    checks: 0,
    booted({ member }) {
      asked.set(member.id, new Map());
    },
    crashed({ member }) {
      asked.delete(member.id);
    },
    requested({ id }, requestId, request) {
      const kind = kindOf(request);
      if (kind !== null) asked.get(id)?.set(requestId, kind);
    },
    answered({ member }, _node, requestId, answer) {
      const open = asked.get(member.id);
      const kind = open?.get(requestId);
      if (open === undefined || kind === undefined) return;
      open.delete(requestId);
      const state = served[kind];
      if (isServed(answer)) {
        state.lastMs = nowMs();
        state.turnedAway.clear();
      } else {
        state.turnedAway.set(member.id, (state.turnedAway.get(member.id) ?? 0) + 1);
      }
    },
    quiet() {
      isQuiet = true;
    },
  };
  looks.every(raft.electionTimeoutMs, (now) => {
    if (isQuiet || hasLiar(members)) return;
    look(oracle, "write", now);
    look(oracle, "read", now);
  });
  return oracle;
}

function kindOf(request: ClientRequest): Kind | null {
  if (request.kind === "propose") return "write";
  return request.kind === "read" && request.consistency !== "stale" ? "read" : null;
}

/** Whoever asks for what nobody may has an answer too. */
function isServed(answer: ClientAnswer): boolean {
  if (answer.kind !== "refused") return true;
  const { kind } = answer.refusal;
  return kind === "invalidRequest" || kind === "requestTooLarge" || kind === "leaseReadsOff";
}
