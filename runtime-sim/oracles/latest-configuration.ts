/**
 * A member acts by the latest configuration in its log, committed or not (thesis 4.1), also after its log was cut
 * back.
 *
 * Checks, whenever a log or the configuration that its member acts by has changed, and at each start, that the two
 * agree in index and content. The configuration is read from the entries of the log; where the log has none, it is the
 * last one that was committed before the log begins; a member that has joined acts by the committed configuration that
 * it was given until its log has reached that index. Does not check: that the change from one configuration to the
 * next was allowed (committed-on-quorum sees what follows from two that have no common quorum); the member's other
 * beliefs about who takes part, such as who is admitted.
 */
import type { NodeView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import { isSameConfiguration, type PlacedConfiguration } from "./log-configurations.ts";
import type { Oracle } from "./oracle.ts";

export function latestConfiguration({ violate, configurations }: OracleContext): Oracle {
  const name = "latest-configuration";

  function check(oracle: Oracle, node: NodeView): void {
    const latest = configurations.latest(node.id);
    if (latest === null) return;
    oracle.checks += 1;
    const { configuration, configurationIndex } = node;
    if (latest.index === configurationIndex && isSameConfiguration(latest.configuration, configuration)) return;
    const present = { index: configurationIndex, configuration };
    violate(name, () => `node ${node.id} acts by ${described(present)}, the latest in its log is ${described(latest)}`);
  }

  return {
    name,
    summary: "members act by the latest configuration in their log",
    checks: 0,
    booted(_watched, node) {
      check(this, node);
    },
    logged(_watched, node) {
      check(this, node);
    },
    configured(_watched, node) {
      check(this, node);
    },
  };
}

function described({ index, configuration }: PlacedConfiguration): string {
  const { voters, outgoing, learners } = configuration;
  const joint = outgoing.length === 0 ? "" : `, outgoing ${outgoing.join(",")}`;
  const learning = learners.length === 0 ? "" : `, learners ${learners.join(",")}`;
  return `that of index ${index} (voters ${voters.join(",")}${joint}${learning})`;
}
