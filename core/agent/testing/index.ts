/** What the tests of an agent's parts begin with, and how they look at what it tells. */
import { AgentHarness, wantedVm } from "../../testing/index.ts";

/** An agent that has registered, and acts by an empty assignment. */
export function settled(facts: ConstructorParameters<typeof AgentHarness>[0] = {}): AgentHarness {
  const harness = new AgentHarness(facts);
  harness.look();
  harness.grant();
  harness.takeActs();
  return harness;
}

/** With this VM running. */
export function running(): AgentHarness {
  const harness = settled();
  harness.wants([wantedVm("web", 5, "run")]);
  for (let n = 0; n < 4; n++) {
    harness.pass(1000);
    harness.finish();
  }
  harness.pass(1000);
  if (harness.machines.get("web")?.phase !== "running") throw new Error("the VM does not run");
  harness.takeActs();
  return harness;
}

/** What the last report says of the host. */
export function told(harness: AgentHarness): string[] {
  const inventories = harness.sent.flatMap(({ report }) => (report.inventory === null ? [] : [report.inventory]));
  const machines = inventories.at(-1)?.machines.map(({ name, epoch, phase }) => `${name}/${epoch} ${phase}`) ?? [];
  const jobs = inventories.at(-1)?.jobs.map(({ id, attempt, phase }) => `${id}/${attempt} ${phase}`) ?? [];
  return [...machines, ...jobs];
}
