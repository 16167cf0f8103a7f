/** Two days of a cluster as events: what an operator would read. Times count from the first line. */

import { expect, test } from "vitest";
import type { ClusterEvent } from "../domain/index.ts";
import { OrchestratorHarness } from "../testing/index.ts";

class Story {
  readonly harness = new OrchestratorHarness();
  readonly #lines: string[] = [];
  #total = 0;
  #startMs = 0;

  /** Everything before is not worth telling. */
  begin(): void {
    this.#total = this.harness.state.events.total;
    this.#startMs = this.harness.nowMs;
  }

  /** Something that no event tells. */
  aside(text: string): void {
    this.#tell();
    this.#lines.push(`${this.#at(this.harness.nowMs)}  ${text}`);
  }

  /** Seconds in which these workers do what they are told, and say so. */
  seconds(count: number, ...workers: readonly number[]): void {
    for (let n = 0; n < count; n++) {
      this.harness.pass(1000);
      this.harness.run(...workers);
      this.#tell();
    }
  }

  get text(): string {
    this.#tell();
    return this.#lines.join("\n");
  }

  #tell(): void {
    const events = this.harness.state.events.chunks.flat();
    const fresh = events.slice(events.length - (this.harness.state.events.total - this.#total));
    this.#total = this.harness.state.events.total;
    for (const event of fresh) {
      const text = sentence(event);
      if (text !== null) this.#lines.push(`${this.#at(event.atMs)}    ${text}`);
    }
  }

  #at(ms: number): string {
    return `${((ms - this.#startMs) / 1000).toFixed(1).padStart(6)} s`;
  }
}

function sentence(event: ClusterEvent): string | null {
  switch (event.kind) {
    case "vmState": {
      const { name, from, state, workerId, reason } = event;
      const where = workerId === null ? "" : ` on ${workerId}`;
      return `${name}: ${from} -> ${state}${where}${reason === "" ? "" : ` (${reason})`}`;
    }
    case "workerStatus":
      return `worker ${event.workerId} is ${event.status}: ${event.reason}`;
    case "workerRegistered":
      return `worker ${event.workerId} has registered`;
    default:
      return null;
  }
}

test("a host is lost, and comes back", () => {
  const story = new Story();
  const { harness } = story;
  harness.join(1);
  harness.create("web");
  harness.create("db", { onWorkerLost: "wait" });
  harness.run(1);
  harness.join(2);
  harness.run(1, 2);
  story.begin();
  story.aside("The cable of worker 1 is pulled.");
  story.seconds(15, 2);
  story.aside("The host has been restarted, and comes back with nothing.");
  harness.reboot(1);
  harness.shows(1, { machines: [] });
  story.seconds(8, 1, 2);
  expect(`\n${story.text}\n`).toMatchInlineSnapshot(`
    "
       0.0 s  The cable of worker 1 is pulled.
      13.2 s    db: Running -> Lost on 1 (worker 1 is lost)
      13.2 s    web: Running -> Lost (worker 1 is lost)
      13.2 s    worker 1 is offline: lease ran out
      13.2 s    web: Lost -> Scheduled on 2
      14.0 s    web: Scheduled -> Running on 2
      15.0 s  The host has been restarted, and comes back with nothing.
      16.0 s    worker 1 has registered
      16.0 s    db: Lost -> Failed on 1 (the machine is gone from its host)
      21.0 s    db: Failed -> Scheduled on 1 (the machine is gone from its host)
      21.0 s    db: Scheduled -> Running on 1
    "
  `);
});

test("a host is drained", () => {
  const story = new Story();
  const { harness } = story;
  harness.join(1);
  for (const name of ["a", "b", "c"]) harness.create(name);
  harness.create("off");
  harness.run(1);
  harness.commit({ kind: "setVmDesired", name: "off", desired: "stopped" });
  harness.run(1);
  harness.join(2);
  harness.run(1, 2);
  story.begin();
  story.aside("An operator drains worker 1.");
  harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
  story.seconds(8, 1, 2);
  story.aside(`Worker 1 has ${harness.worker(1).vms.length} VMs.`);
  expect(`\n${story.text}\n`).toMatchInlineSnapshot(`
    "
       0.0 s  An operator drains worker 1.
       0.0 s    worker 1 is draining: draining
       0.0 s    a: Running -> Stopping on 1 (leaves worker 1: drain)
       1.0 s    a: Stopping -> Pending (left worker 1: drain)
       1.0 s    a: Pending -> Scheduled on 2
       1.0 s    a: Scheduled -> Running on 2
       1.0 s    b: Running -> Stopping on 1 (leaves worker 1: drain)
       2.0 s    b: Stopping -> Pending (left worker 1: drain)
       2.0 s    b: Pending -> Scheduled on 2
       2.0 s    b: Scheduled -> Running on 2
       2.0 s    c: Running -> Stopping on 1 (leaves worker 1: drain)
       3.0 s    c: Stopping -> Pending (left worker 1: drain)
       3.0 s    c: Pending -> Scheduled on 2
       3.0 s    c: Scheduled -> Running on 2
       3.0 s    off: Stopped -> Stopping on 1 (leaves worker 1: drain)
       4.0 s    off: Stopping -> Stopped (left worker 1: drain)
       8.0 s  Worker 1 has 0 VMs.
    "
  `);
});
