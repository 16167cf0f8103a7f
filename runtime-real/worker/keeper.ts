/**
 * The keeper of a host's jobs: a process that starts them, and ends them all when the lease of the host has run out.
 * It knows that time (the fence) by itself, so it does this also when the node hangs or is stopped. When the node is
 * gone, it ends all jobs at once, and then itself.
 *
 * Only the process that knows the fence may start jobs. An order that was on its way for too long is refused here.
 */
import { join } from "node:path";
import { Deadline, monotonicMs } from "../processes/index.ts";
import { Attempt, type RunOrder } from "./attempt.ts";
import type { Ended, Order } from "./keeper-protocol.ts";

class Keeper {
  readonly #folder: string;
  readonly #attempts = new Map<string, Attempt>();
  readonly #fence = new Deadline(() => this.#endAll());
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  #isAlone = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  obey(order: Order): void {
    switch (order.kind) {
      case "fenceAt":
        this.#fenceAtMs = order.atMs;
        this.#fence.set(order.atMs);
        return;
      case "end":
        this.#attempts.get(keyOf(order))?.end("cancelled");
        return;
      case "run":
        this.#run(order);
        return;
    }
  }

  #run(order: RunOrder): void {
    const { id, attempt } = order;
    const key = keyOf(order);
    if (this.#isAlone || this.#attempts.has(key)) return;
    if (monotonicMs() >= this.#fenceAtMs) {
      this.#tell({ id, attempt, how: { kind: "fenced" }, output: "" });
      return;
    }
    const running = new Attempt(order, join(this.#folder, key));
    this.#attempts.set(key, running);
    void running.run().then((ended) => {
      this.#attempts.delete(key);
      this.#tell(ended);
      this.#leaveIfDone();
    });
  }

  #endAll(): void {
    for (const attempt of this.#attempts.values()) attempt.kill("fenced");
  }

  /** The node is gone, or a signal tells this process to end. */
  alone(): void {
    this.#isAlone = true;
    this.#endAll();
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#isAlone && this.#attempts.size === 0) process.exit(0);
  }

  #tell(ended: Ended): void {
    // If the node has died a moment ago this fails, and `disconnect` says so: there are other jobs to end first.
    if (process.connected) process.send?.(ended, () => undefined);
  }
}

/** Also the name of its directory. Ids are labels, so that is safe. */
function keyOf({ id, attempt }: { readonly id: string; readonly attempt: number }): string {
  return `${id}.${attempt}`;
}

const [folder] = process.argv.slice(2);
if (folder === undefined || process.send === undefined) throw new Error("this is a process of a node");
const keeper = new Keeper(folder);
process.on("message", (order: Order) => keeper.obey(order));
process.on("disconnect", () => keeper.alone());
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => keeper.alone());
