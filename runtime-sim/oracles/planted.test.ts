/**
 * Each important oracle in a real run: a world with the real core, in which one thing is tampered with from outside.
 */
import { expect, test } from "vitest";
import { DEFAULT_COUNT_LIMITS, DEFAULT_RAFT_OPTIONS, emptyState, type Node } from "../../core/index.ts";
import { CALM_NETWORK, drawSchedule, scenario } from "../scenario/index.ts";
import { askedText, type ClientOperation, STEADY_WORKLOAD, Workload } from "../workload/index.ts";
import { type SimMember, World } from "../world/index.ts";
import { DEAF_LISTENER } from "../world/testing/index.ts";
import { ORACLES } from "./index.ts";
import { Oracles } from "./oracles.ts";

const SCENARIO = scenario({
  name: "planted",
  summary: "A little loss. Many clients.",
  network: { ...CALM_NETWORK, lossChance: [0.02, 0.02], duplicateChance: [0.1, 0.1] },
  workload: { ...STEADY_WORKLOAD, clients: [8, 8], keys: 2, arrivalsPerSecond: [400, 400], staleReads: 0 },
});
const RAFT = {
  ...DEFAULT_RAFT_OPTIONS,
  snapshotAfterEntries: 60,
  snapshotEveryEntries: 40,
  snapshotTrailingEntries: 10,
};
const PLANT_AT_US = 5_000_000;
const END_US = 12_000_000;

interface Bench {
  readonly world: World;
  readonly oracles: Oracles;
  readonly leader: SimMember;
  readonly followers: readonly SimMember[];
  /** What a client is told, before the oracles hear of it. */
  answered: (operation: ClientOperation) => ClientOperation;
}

/** Five nodes for 12 seconds; after 5 of them the plant. Returns the names of the oracles that fired, in order. */
function run(seed: number, plant: (bench: Bench) => void): readonly string[] {
  const fired: string[] = [];
  const schedule = drawSchedule(SCENARIO, { seed, nodes: null, durationMs: null });
  let made: Oracles | null = null;
  const world = new World(
    { seed, base: schedule.base, raft: RAFT, limits: DEFAULT_COUNT_LIMITS, nodes: 5, workers: 0, liar: null },
    DEAF_LISTENER,
    (members, conditions) => {
      made = new Oracles(
        { members, conditions, raft: RAFT, limits: DEFAULT_COUNT_LIMITS, violate: (name) => fired.push(name) },
        ORACLES,
      );
      return made;
    },
  );
  const oracles: Oracles = made ?? expect.unreachable();
  let answered: Bench["answered"] = (operation) => operation;
  new Workload(world, SCENARIO.workload, {
    invoked: (operation) => oracles.invoked(operation),
    completed: (operation) => oracles.completed(answered(operation)),
  });
  while (world.advance(PLANT_AT_US));
  expect(fired).toEqual([]);
  const leader = world.members.leader() ?? expect.unreachable();
  const bench = {
    world,
    oracles,
    leader,
    followers: world.members.all.filter((member) => member !== leader),
    answered,
  };
  plant(bench);
  answered = bench.answered;
  while (fired.length === 0 && world.advance(END_US));
  oracles.finished();
  return fired;
}

function nodeOf(member: SimMember | undefined): Node {
  return member?.node ?? expect.unreachable();
}

/** Makes `target` show something else than it holds. */
function show(target: object, field: string, value: () => unknown): void {
  Object.defineProperty(target, field, { get: value, configurable: true });
}

test("nothing is tampered with: nothing fires, and every oracle that can has checked", () => {
  let checks: Readonly<Record<string, number>> = {};
  const fired = run(1, ({ world, oracles, followers: [first] }) => {
    if (first !== undefined) world.processes.crash(first);
    world.loop.after(3_000_000, () => {
      if (first !== undefined) world.processes.boot(first);
      checks = oracles.checks;
    });
  });
  expect(fired).toEqual([]);
  const idle = Object.keys(checks).filter((name) => checks[name] === 0);
  // Of these five there is something to see after longer times, or more trouble.
  const rare = ["leader-completeness", "availability", "clients-served", "healthy-leader", "leader-stickiness"];
  // Nobody lies, nobody asks to be let in, and nobody changes who takes part.
  const unasked = ["halted-honest", "evidence-without-liar", "membership-answers", "admissions"];
  expect(new Set(idle)).toEqual(new Set([...rare, ...unasked]));
});

test("a second node says that it leads", () => {
  const fired = run(2, ({ followers: [first] }) => show(nodeOf(first), "role", () => "leader"));
  expect(fired).toContain("election-safety");
});

test("a node that lags becomes leader of the next term", () => {
  const fired = run(3, ({ world, leader, followers: [first] }) => {
    if (first === undefined) return;
    world.processes.crash(first);
    world.loop.after(2_000_000, () => {
      world.processes.boot(first);
      const node = nodeOf(first);
      const { term } = nodeOf(leader);
      show(node, "role", () => "leader");
      show(node, "term", () => term + 1);
    });
  });
  expect(fired).toContain("leader-completeness");
});

test("a log shows another history", () => {
  const fired = run(4, ({ followers: [first] }) => {
    const { log } = nodeOf(first);
    const chainAt = log.chainAt.bind(log);
    Object.assign(log, { chainAt: (index: number) => `${chainAt(index)}!` });
  });
  expect(fired).toContain("log-matching");
});

test("a log is cut back below what is committed", () => {
  const firedIn = (seed: number): readonly string[] =>
    run(seed, ({ followers: [first] }) => {
      const node = nodeOf(first);
      const cut = Reflect.get(node.log, "truncateAfter");
      if (typeof cut === "function") cut.call(node.log, node.commitIndex - 1);
    });
  // In some runs the node notices first, and halts.
  expect([1, 2, 3, 4, 5, 6, 7, 8].some((seed) => firedIn(seed).includes("committed-immutable"))).toBe(true);
});

test("a node's state is replaced", () => {
  const fired = run(6, ({ followers: [first] }) => {
    show(nodeOf(first), "state", () => emptyState());
  });
  expect(fired[0]).toBe("state-machine-safety");
});

test("a node says that it has what its disk does not", () => {
  const fired = run(20, ({ followers: [first] }) => {
    if (first !== undefined) show(first.disk, "durableLastIndex", () => first.storage.durableLastIndex - 1);
  });
  expect(fired[0]).toBe("durable-before-speech");
});

test("the leader counts entries that disks do not have", () => {
  const fired = run(8, ({ world }) => {
    for (const { disk } of world.members.all) {
      // Hidden from the question "how far", so that only the quorum is short.
      const chainAt = disk.durableChainAt.bind(disk);
      Object.assign(disk, {
        durableChainAt: (index: number) => (index === disk.durableLastIndex ? null : chainAt(index)),
      });
    }
  });
  expect(fired).toContain("committed-on-quorum");
});

test("a node restarts without its term and vote", () => {
  const fired = run(9, ({ world, followers: [first] }) => {
    if (first === undefined) return;
    world.processes.crash(first);
    const outcome = first.storage.restore();
    if (outcome.kind !== "restored") return;
    const restored = { ...outcome.restored, hardState: null };
    Object.assign(first.storage, { restore: () => ({ kind: "restored", restored }) });
    world.processes.boot(first);
  });
  expect(fired[0]).toBe("monotonic");
});

test("a node halts for no reason", () => {
  const fired = run(10, ({ oracles, followers: [first] }) => {
    if (first === undefined) return;
    oracles.stepped(first, nodeOf(first).step({ kind: "wake", nowMs: -1, wallMs: 0 }));
  });
  expect(fired).toEqual(["halted-honest"]);
});

test("a node halts because its disk failed, and is excused", () => {
  let halted = false;
  const fired = run(10, ({ world, followers: [first] }) => {
    if (first === undefined) return;
    first.disk.faults += 1;
    first.storage.failNextSync();
    world.loop.after(1_000_000, () => {
      halted = nodeOf(first).halted;
    });
  });
  expect(halted).toBe(true);
  expect(fired).toEqual([]);
});

test("a client is told of another generation", () => {
  const fired = run(11, (bench) => {
    bench.answered = (operation) => {
      const { answer, session } = operation;
      if (session === 0 || answer?.kind !== "applied") return operation;
      if (!answer.result.ok || answer.result.kind !== "vmUpdated") return operation;
      return {
        ...operation,
        answer: { ...answer, result: { ...answer.result, generation: answer.result.generation + 1 } },
      };
    };
  });
  expect(fired).toEqual(expect.arrayContaining(["acknowledged-durable", "sessions"]));
});

test("clients are told of a write that is not there", () => {
  const fired = run(12, (bench) => {
    bench.answered = (operation) => {
      const { answer } = operation;
      if (answer?.kind !== "applied") return operation;
      return { ...operation, answer: { ...answer, term: answer.term + 1 } };
    };
  });
  expect(fired).toContain("acknowledged-durable");
});

test("reads give an old answer", () => {
  const fired = run(13, (bench) => {
    const old = new Map<string, ClientOperation["answer"]>();
    bench.answered = (operation) => {
      const { answer } = operation;
      if (answer?.kind !== "read") return operation;
      const key = askedText(operation.asked);
      if (!old.has(key)) old.set(key, answer);
      return { ...operation, answer: old.get(key) ?? null };
    };
  });
  expect(fired).toContain("read-freshness");
});

test("reads give an old answer under a new index", () => {
  const fired = run(14, (bench) => {
    const old = new Map<string, ClientOperation["answer"]>();
    bench.answered = (operation) => {
      const { answer, asked } = operation;
      if (answer?.kind !== "read" || answer.result.kind !== "vm") return operation;
      const key = askedText(asked);
      const first = old.get(key);
      if (first?.kind !== "read") {
        old.set(key, answer);
        return operation;
      }
      const { result } = first;
      // Where only the desired state differs, linearizability cannot tell.
      if (result.kind === "vm" && result.vm?.generation === answer.result.vm?.generation) return operation;
      return { ...operation, answer: { ...answer, result } };
    };
  });
  // It knows what each index holds, and sees it before a history shows that no order explains it.
  expect(fired).toContain("as-modelled");
});
