/**
 * Cluster time, by which tokens expire and events are dated, follows the clocks of a majority.
 *
 * Checks each entry when it is first applied anywhere. Ahead: cluster time is never further ahead of true time than a
 * majority of the voters' clocks has ever been off. Behind: an entry that its leader appended while it heard a
 * majority whose clocks have never been off by more, has brought cluster time up to when it was appended. `SLACK_MS`
 * more is allowed either way. Does not check: runs with a Byzantine peer, who may stamp what he likes and lie about
 * his clock; that nothing makes cluster time stand still where nothing is appended; more than the newest
 * `APPENDED_MAX` entries that are not applied yet.
 */
import type { Configuration, Digest, NodeId } from "../../core/index.ts";
import { WALL_EPOCH_MS } from "../hardware/index.ts";
import type { NodeView } from "../world/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

/** What a leader knows of others' clocks is as old as `HEARD_WITHIN_MS` and a message at most. */
const SLACK_MS = 5000;
/** A member counts as heard when it has answered a heartbeat that is no older. */
const HEARD_WITHIN_MS = 1000;
const APPENDED_MAX = 4096;

/** An entry that a leader has appended. */
interface Appended {
  readonly index: number;
  readonly chain: Digest | null;
  /** What cluster time must have reached when it is applied. */
  readonly leastMs: number;
}

export function clusterTime({ violate, nowMs, members, findMember }: OracleContext): Oracle {
  const name = "cluster-time";
  const appended: (Appended | undefined)[] = [];
  let appliedIndex = 0;
  /** The latest that cluster time may show. */
  let latestMs = 0;

  /** How far the clocks of a majority have been off at most, of the voters of whom `counts` says so. */
  function errorOfMajority({ voters, outgoing }: Configuration, counts: (id: NodeId) => boolean): number {
    const nowUs = nowMs() * 1000;
    let worst = 0;
    for (const half of [voters, outgoing]) {
      if (half.length === 0) continue;
      const errors = half.map((id) =>
        counts(id) ? (findMember(id)?.clock.wallErrorMaxMs(nowUs) ?? Infinity) : Infinity,
      );
      errors.sort((a, b) => a - b);
      worst = Math.max(worst, errors[Math.floor(half.length / 2)] ?? Infinity);
    }
    return worst;
  }

  function mayShow(configuration: Configuration): void {
    const offMs = errorOfMajority(configuration, () => true);
    latestMs = Math.max(latestMs, WALL_EPOCH_MS + nowMs() + offMs + SLACK_MS);
  }

  function leastFor(node: NodeView): number {
    const clock = findMember(node.id)?.clock;
    const nowUs = nowMs() * 1000;
    const ownMs = clock?.monotonicMs(nowUs) ?? 0;
    const heard = new Set<NodeId>([node.id]);
    for (const { id, answeredMs } of node.memberStatus())
      if (answeredMs !== null && ownMs - answeredMs <= HEARD_WITHIN_MS) heard.add(id);
    // A leader whose clock stands still or runs slow takes what it heard long ago for new.
    const paceMs = clock?.paceErrorMaxMs(nowUs) ?? Infinity;
    const offMs = errorOfMajority(node.configuration, (id) => heard.has(id));
    return WALL_EPOCH_MS + nowMs() - offMs - paceMs - SLACK_MS;
  }

  return {
    name,
    summary: "cluster time follows the clocks of a majority",
    checks: 0,
    logged(watched, node) {
      if (node.configuration !== watched.configuration) mayShow(node.configuration);
      if (node.role !== "leader" || watched.role !== "leader" || node.log.lastIndex <= watched.lastIndex) return;
      const leastMs = leastFor(node);
      for (let index = watched.lastIndex + 1; index <= node.log.lastIndex; index++)
        appended[index % APPENDED_MAX] = { index, chain: node.log.chainAt(index), leastMs };
    },
    applied(_watched, node) {
      if (node.appliedIndex <= appliedIndex) return;
      const before = appliedIndex;
      appliedIndex = node.appliedIndex;
      if (hasLiar(members)) return;
      mayShow(node.configuration);
      const { timeMs } = node.state;
      this.checks += 1;
      if (timeMs > latestMs) {
        const aheadMs = timeMs - WALL_EPOCH_MS - nowMs();
        violate(
          name,
          () =>
            `after entry ${appliedIndex} cluster time is ${seconds(aheadMs)} s ahead of true time; the clocks of a ` +
            `majority allow ${seconds(latestMs - WALL_EPOCH_MS - nowMs())} s, ${SLACK_MS / 1000} s of it to spare`,
        );
      }
      let leastMs = 0;
      let least: Appended | null = null;
      for (const { entry } of node.lastApplied) {
        if (entry.index <= before || entry.kind !== "command") continue;
        const known = appended[entry.index % APPENDED_MAX];
        if (known === undefined || known.index !== entry.index || known.chain !== entry.chain) continue;
        if (known.leastMs <= leastMs) continue;
        leastMs = known.leastMs;
        least = known;
      }
      if (least === null || timeMs >= leastMs) return;
      const { index } = least;
      violate(
        name,
        () =>
          `after entry ${index} cluster time is ${seconds(leastMs - timeMs)} s further behind than the clocks of the ` +
          `majority that its leader heard allow, ${SLACK_MS / 1000} s to spare`,
      );
    },
  };
}

function seconds(ms: number): string {
  return (Math.round(ms) / 1000).toFixed(3);
}
