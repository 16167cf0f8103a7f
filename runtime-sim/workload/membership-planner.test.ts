import { expect, test } from "vitest";
import type { Configuration } from "../../core/index.ts";
import { FaultAtlas } from "../faults/index.ts";
import { Streams } from "../random/index.ts";
import type { World } from "../world/index.ts";
import { smallWorld } from "../world/testing/index.ts";
import type { MembershipJob } from "./membership-job.ts";
import { MembershipPlanner } from "./membership-planner.ts";

interface SetUp {
  readonly world: World;
  readonly atlas: FaultAtlas;
  readonly configuration: Configuration;
  readonly planner: MembershipPlanner;
}

/** Three voters, one spare host. */
function setUp(voters: readonly [number, number]): SetUp {
  const { world } = smallWorld();
  while (world.advance(5_000_000));
  const atlas = new FaultAtlas();
  const configuration = world.members.configuration();
  if (configuration === null) throw new RangeError("nobody runs");
  const shape = { membershipEveryMs: null, transferEveryMs: null, voters };
  const rng = new Streams(1).stream("operator");
  return {
    world,
    atlas,
    configuration,
    planner: new MembershipPlanner({ world, atlas, shape, rng, replacements: [] }),
  };
}

/** What it draws in fifty tries. */
function drawn({ planner, configuration }: SetUp): readonly MembershipJob[] {
  return Array.from({ length: 50 }, () => planner.draw(configuration)).filter((job) => job !== null);
}

test("keeps the number of voters within what the scenario allows", () => {
  for (const { voters } of drawn(setUp([2, 4]))) {
    expect(voters.length).toBeGreaterThanOrEqual(2);
    expect(voters.length).toBeLessThanOrEqual(4);
  }
});

test("draws every change that there is room for", () => {
  const kinds = new Set(drawn(setUp([1, 4])).flatMap(({ changes }) => changes.map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(["addLearner", "demote", "remove"]);
});

test("leaves no fewer sound copies of the data than unsound ones", () => {
  const { atlas, ...parts } = setUp([1, 3]);
  atlas.markDamaged(1);
  const removals = drawn({ atlas, ...parts }).filter(({ changes }) => changes.every(({ kind }) => kind === "remove"));
  expect(removals.length).toBeGreaterThan(0);
  // Of three voters one is damaged: without one of the others a majority would not be left.
  for (const { voters } of removals) expect(voters).not.toContain(1);
});

test("a new member counts as damaged until it has caught up, and its job is done when it belongs", () => {
  const { world, atlas, configuration, planner } = setUp([1, 5]);
  const host = world.members.hosts.find(({ member }) => member === null);
  if (host === undefined) throw new RangeError("there is no spare host");
  const job = planner.newcomer(host, 3, true, false);
  expect(job.changes).toMatchObject([
    { kind: "remove", id: 3 },
    { kind: "addLearner", id: 4, promote: true },
  ]);
  expect(atlas.isDamaged(4)).toBe(true);
  expect(job.isDone(configuration)).toBe(false);
  const members = [...configuration.members.filter(({ id }) => id !== 3), { id: 4, peerId: "peer", promote: true }];
  expect(job.isDone({ ...configuration, members })).toBe(true);
});
