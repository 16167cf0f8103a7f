/** `blixard ip-pool strategy`: which pool an address comes from where a VM names none. */
import { Argument, type Command } from "commander";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { type ClientOptions, change, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";

type Strategy = AnswerOf<"ipPool.list">["strategy"];

const STRATEGY_WORDS = {
  "least-used": "the pool with the smallest share of its addresses in use",
  "most-used": "the pool with the largest share of its addresses in use that has one left",
  "round-robin": "one pool after the other",
  "topology-aware": "the pool at home in the zone that the VM prefers, then in its datacenter, then the least used",
} as const satisfies Record<Strategy, string>;

export function renderStrategy(strategy: Strategy): string {
  return `strategy ${strategy}: a VM that names no pool gets its address from ${STRATEGY_WORDS[strategy]}`;
}

export function registerStrategy(pool: Command, session: Session): void {
  const { terminal } = session;
  withClientOptions(
    withExamples(pool.command("strategy"), ["blixard ip-pool strategy", "blixard ip-pool strategy round-robin"])
      .description("Show or change which pool addresses come from where a VM names none; what has an address keeps it.")
      .addArgument(new Argument("[strategy]", "how a pool is chosen").choices(Object.keys(STRATEGY_WORDS))),
  ).action(async (strategy: Strategy | undefined, options: ClientOptions) => {
    if (strategy === undefined) {
      const { index, strategy: now } = await withNode(options, (api) =>
        api.read("ipPool.list", {}, { timeoutMs: options.timeout }),
      );
      terminal.out(options.json === true ? JSON.stringify({ index, strategy: now }) : renderStrategy(now));
      return;
    }
    const told = { what: { strategy }, done: renderStrategy(strategy) };
    await change(session, options, "ipPool.setStrategy", { strategy }, told);
  });
}
