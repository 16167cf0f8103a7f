import fc from "fast-check";
import { expect, test } from "vitest";
import { enterJoint, initialConfiguration, leaveJoint } from "./configuration.ts";
import type { Configuration, ConfigurationChange } from "./records.ts";

const THREE = initialConfiguration([1, 2, 3].map((id) => ({ id, peerId: `peer-${id}` })));

function change(from: Configuration, ...changes: ConfigurationChange[]): Configuration {
  const entered = enterJoint(from, changes);
  if ("refused" in entered) throw new Error(entered.refused);
  return leaveJoint(entered.joint);
}

function refusal(from: Configuration, ...changes: ConfigurationChange[]): string {
  const entered = enterJoint(from, changes);
  return "refused" in entered ? entered.refused : "accepted";
}

test("a node joins as a learner, is promoted, is removed, and never comes back", () => {
  const joined = change(THREE, { kind: "addLearner", id: 4, peerId: "peer-4", promote: true });
  expect(joined.learners).toEqual([4]);
  const promoted = change(joined, { kind: "promote", id: 4 });
  expect(promoted.voters).toEqual([1, 2, 3, 4]);
  const left = change(promoted, { kind: "remove", id: 4 });
  expect(left.retired.map(({ id }) => id)).toEqual([4]);
  expect(refusal(left, { kind: "addLearner", id: 4, peerId: "peer-new", promote: false })).toContain("never reused");
  expect(refusal(left, { kind: "addLearner", id: 5, peerId: "peer-4", promote: false })).toContain("bound to node 4");
});

test("one joint phase replaces several voters at once, and both halves are in it", () => {
  const grown = change(
    THREE,
    { kind: "addLearner", id: 4, peerId: "peer-4", promote: false },
    { kind: "addLearner", id: 5, peerId: "peer-5", promote: false },
  );
  const entered = enterJoint(grown, [
    { kind: "promote", id: 4 },
    { kind: "promote", id: 5 },
    { kind: "remove", id: 1 },
    { kind: "demote", id: 2 },
  ]);
  if ("refused" in entered) throw new Error(entered.refused);
  expect(entered.joint.voters).toEqual([3, 4, 5]);
  expect(entered.joint.outgoing).toEqual([1, 2, 3]);
  expect(entered.joint.members.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  const final = leaveJoint(entered.joint);
  expect(final).toMatchObject({ voters: [3, 4, 5], outgoing: [], learners: [2] });
  expect(final.retired.map(({ id }) => id)).toEqual([1]);
});

test("what makes no sense is refused with its reason", () => {
  expect(refusal(THREE)).toContain("no change");
  expect(refusal(THREE, { kind: "promote", id: 2 })).toContain("not a learner");
  expect(refusal(THREE, { kind: "remove", id: 9 })).toContain("not a member");
  expect(refusal(THREE, { kind: "addLearner", id: 0, peerId: "p", promote: false })).toContain("1..2^31-1");
  expect(refusal(THREE, { kind: "remove", id: 1 }, { kind: "demote", id: 1 })).toContain("two changes");
  expect(refusal(THREE, { kind: "remove", id: 1 }, { kind: "remove", id: 2 }, { kind: "remove", id: 3 })).toContain(
    "no voter",
  );
});

const anyChange: fc.Arbitrary<ConfigurationChange> = fc
  .tuple(fc.constantFrom("addLearner", "promote", "demote", "remove"), fc.integer({ min: 1, max: 8 }))
  .map(([kind, id]) =>
    kind === "addLearner"
      ? { kind, id, peerId: `peer-${id}`, promote: false }
      : kind === "promote"
        ? { kind, id }
        : kind === "demote"
          ? { kind, id }
          : { kind: "remove", id },
  );

test("whatever is asked, lists stay sorted and consistent, and no identity is ever bound twice", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyChange, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), (rounds) => {
      let configuration = THREE;
      for (const changes of rounds) {
        const entered = enterJoint(configuration, changes);
        if ("refused" in entered) continue;
        for (const next of [entered.joint, leaveJoint(entered.joint)]) {
          const listed = new Set([...next.voters, ...next.outgoing, ...next.learners]);
          expect(next.members.map(({ id }) => id)).toEqual([...listed].sort((a, b) => a - b));
          const everyone = [...next.members, ...next.retired];
          expect(new Set(everyone.map(({ id }) => id)).size).toBe(everyone.length);
          expect(new Set(everyone.map(({ peerId }) => peerId)).size).toBe(everyone.length);
          expect(next.voters.length).toBeGreaterThan(0);
        }
        configuration = leaveJoint(entered.joint);
      }
    }),
  );
});
