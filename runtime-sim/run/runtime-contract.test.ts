/**
 * The simulator keeps the contract that the real runtime keeps (runtime-real/node/runtime-contract.test.ts), and the
 * contract can be broken. The simulated network promises less on purpose: real streams are ordered, but they break,
 * and messages of a new stream may overtake. A core that relies on no order at all is safe on both.
 */
import { describe, expect, test } from "vitest";
import { type CoreWatch, type Effect, type Input, Node, type Restored } from "../../core/index.ts";
import { RuntimeContract } from "../../core/testing/index.ts";
import { CALM_NETWORK, type Scenario, scenario } from "../scenario/index.ts";
import { Run } from "./run.ts";

function runUnder(contract: CoreWatch, parts: Partial<Scenario>, seed: number): void {
  const shape = scenario({ name: "contract", summary: "One. Two.", ...parts });
  const run = new Run(shape, { seed, durationMs: 30_000, nodes: 3, watch: contract });
  while (!run.advance(10_000));
}

const crashes: Scenario["faults"] = [
  { kind: "crash", everyMs: [1000, 2000], durationMs: [100, 1000], targets: ["leader", "any"] },
];

describe("the simulator keeps the contract", () => {
  test.each([1, 2, 3])("on a calm network, while nodes crash and restart (seed %i)", (seed) => {
    const contract = new RuntimeContract({ network: "faulty", latenessMs: 1 });
    runUnder(contract, { faults: crashes }, seed);
    expect(contract.violations).toEqual([]);
    expect(contract.counts.boots).toBeGreaterThan(5);
    expect(contract.counts.messages).toBeGreaterThan(500);
  });

  test.each([4, 5, 6])("on a network that loses, doubles and reorders (seed %i)", (seed) => {
    const contract = new RuntimeContract({ network: "faulty", latenessMs: 1 });
    const network = {
      ...CALM_NETWORK,
      lossChance: [0.1, 0.2],
      duplicateChance: [0.2, 0.4],
      delayMeanMs: [5, 20],
    } as const;
    runUnder(contract, { network, faults: crashes }, seed);
    expect(contract.violations).toEqual([]);
  });

  test("and a network that reorders does not keep that of an ordered one", () => {
    const contract = new RuntimeContract({ network: "ordered", latenessMs: 1 });
    runUnder(contract, { network: { ...CALM_NETWORK, duplicateChance: [0.3, 0.4], delayMeanMs: [10, 20] } }, 7);
    expect(contract.violations.join()).toContain("twice, or after one that was sent later");
  });
});

describe("the contract is broken by", () => {
  const stamp = { nowMs: 0, wallMs: 0 };
  const empty: Restored = Node.genesis("c", 0, [{ id: 1, peerId: "p" }]);
  const hardState = { term: 1, votedFor: 1, proof: null };
  const write = (id: number): Effect => ({
    kind: "write",
    write: { id, hardState: { ...hardState, term: id }, entries: null, snapshot: null },
  });

  function broken(
    act: (contract: RuntimeContract, step: (input: Input, effects?: readonly Effect[]) => void) => void,
  ): string {
    const contract = new RuntimeContract({ network: "ordered", latenessMs: 10 });
    contract.booted("p", empty, stamp, []);
    act(contract, (input, effects = []) => contract.stepped("p", input, effects));
    return contract.violations.join();
  }

  test.each<[string, string, Parameters<typeof broken>[0]]>([
    [
      "a clock that goes back",
      "went back",
      (_, step) => {
        step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, nowMs: 5, wallMs: 0 });
        step({ kind: "request", requestId: 2, request: { kind: "transferLeadership", to: 1 }, nowMs: 4, wallMs: 0 });
      },
    ],
    ["a wake that nobody asked for", "asked for nothing", (_, step) => step({ kind: "wake", ...stamp })],
    [
      "a wake that does not come",
      "was to be woken",
      (contract, step) => {
        contract.stepped(
          "p",
          { kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp },
          [{ kind: "wakeAt", atMs: 5 }],
        );
        step({ kind: "request", requestId: 2, request: { kind: "transferLeadership", to: 1 }, nowMs: 16, wallMs: 0 });
      },
    ],
    [
      "a wake that comes late",
      "was to be woken",
      (contract, step) => {
        contract.stepped(
          "p",
          { kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp },
          [{ kind: "wakeAt", atMs: 5 }],
        );
        step({ kind: "wake", nowMs: 16, wallMs: 0 });
      },
    ],
    [
      "a request that comes twice",
      "request 1 twice",
      (_, step) => {
        step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp });
        step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp });
      },
    ],
    [
      "writes that complete out of order, or before they are issued",
      "completed",
      (_, step) => {
        step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp }, [
          write(1),
          write(2),
        ]);
        step({ kind: "written", writeId: 2, ...stamp });
        step({ kind: "written", writeId: 1, ...stamp });
      },
    ],
    ["a write of nobody", "only 0 were issued", (_, step) => step({ kind: "written", writeId: 1, ...stamp })],
    [
      "a disk that forgets what was durable",
      "something else on its disk",
      (contract, step) => {
        step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp }, [write(1)]);
        step({ kind: "written", writeId: 1, ...stamp });
        contract.booted("p", empty, stamp, []);
      },
    ],
    [
      "a message that was never sent",
      "never sent",
      (_, step) =>
        step({
          kind: "message",
          from: "q",
          message: { type: "heartbeat", clusterId: "c", incarnation: 0, from: 2, to: 1, term: 1, commit: 0, round: 1 },
          ...stamp,
        }),
    ],
  ])("%s", (_, words, act) => {
    expect(broken(act)).toContain(words);
  });

  test("but not by a disk that kept more than was reported", () => {
    const said = broken((contract, step) => {
      step({ kind: "request", requestId: 1, request: { kind: "transferLeadership", to: 1 }, ...stamp }, [
        write(1),
        write(2),
      ]);
      contract.booted("p", { ...empty, hardState: { ...hardState, term: 2 } }, stamp, []);
    });
    expect(said).toBe("");
  });
});
