/** What the host is asked for once, and what again. */
import { expect, test } from "vitest";
import { ASK_AGAIN_MS, HostRequests } from "./host-requests.ts";
import { Step } from "./step.ts";

class Asking {
  readonly step = new Step();
  readonly requests = new HostRequests(this.step);

  /** What the host hears of when these are asked for at that time. */
  at(nowMs: number, ...actions: readonly { readonly kind: "start" | "delete"; readonly epoch: number }[]): string[] {
    this.step.begin(nowMs);
    for (const { kind, epoch } of actions) this.requests.ask("web", epoch, { kind, name: "web", epoch });
    return this.step.end().map((effect) => {
      return effect.kind === "act" && "epoch" in effect.action ? `${effect.action.kind} ${effect.action.epoch}` : "";
    });
  }
}

test("the same is asked for once, and again when it has not shown for a while", () => {
  const asking = new Asking();
  expect(asking.at(5, { kind: "start", epoch: 1 }, { kind: "start", epoch: 1 })).toEqual(["start 1"]);
  expect(asking.at(4 + ASK_AGAIN_MS, { kind: "start", epoch: 1 })).toEqual([]);
  expect(asking.at(5 + ASK_AGAIN_MS, { kind: "start", epoch: 1 })).toEqual(["start 1"]);
  expect(asking.requests.get("web")).toMatchObject({ sinceMs: 5, atMs: 5 + ASK_AGAIN_MS });
});

test("something else, or another run, is asked for at once, and counts anew", () => {
  const asking = new Asking();
  asking.at(0, { kind: "start", epoch: 1 });
  expect(asking.at(1, { kind: "start", epoch: 2 })).toEqual(["start 2"]);
  expect(asking.at(2, { kind: "delete", epoch: 2 })).toEqual(["delete 2"]);
  expect(asking.requests.get("web")).toMatchObject({ kind: "delete", sinceMs: 2 });
});

test("what shows is forgotten, and asked for at once if it is wanted again", () => {
  const asking = new Asking();
  asking.at(0, { kind: "start", epoch: 1 });
  asking.requests.delete("web");
  expect(asking.requests.size).toBe(0);
  expect(asking.at(1, { kind: "start", epoch: 1 })).toEqual(["start 1"]);
});
