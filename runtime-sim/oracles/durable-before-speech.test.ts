import { expect, test } from "vitest";
import { durableBeforeSpeech } from "./durable-before-speech.ts";
import { FakeCluster, grant, installed, lead, matched } from "./testing/index.ts";

const NAME = "durable-before-speech";

function cluster(liars: readonly number[] = []): FakeCluster {
  const made = new FakeCluster(3, [durableBeforeSpeech], liars);
  const { disk } = made.member(2);
  disk.durableTerm = 4;
  disk.durableVote = 1;
  disk.log.append(1, 1, 4);
  made.node(2).term = 4;
  made.node(2).log.append(1, 1, 4);
  return made;
}

test("what is durable may be said", () => {
  const made = cluster();
  made.step(2, () => {}, [grant(2, 1, 4), matched(2, 1, 4, 3, "genesis/1/1/4"), installed(2, 1, 4, 3)]);
  made.step(2, () => {}, [grant(2, 3, 5, true)]);
  expect(made.violations).toEqual([]);
  expect(made.oracle(NAME).checks).toBe(3);
});

test("a vote said before it is durable", () => {
  const made = cluster();
  made.step(2, () => {}, [grant(2, 3, 5)]);
  expect(made.violations).toEqual([
    `${NAME}: node 2 votes for 3 in term 5, but durable is only its vote for 1 in term 4`,
  ]);
});

test("a vote for another than the durable one", () => {
  const made = cluster();
  made.step(2, () => {}, [grant(2, 3, 4)]);
  expect(made.violations).toHaveLength(1);
});

test("an entry acknowledged before it is durable", () => {
  const made = cluster();
  made.step(2, (node) => node.log.append(4), [matched(2, 1, 4, 4, "genesis/1/1/4/4")]);
  expect(made.violations).toEqual([`${NAME}: node 2 says that it matches up to 4, but its disk ends at 3`]);
});

test("another entry acknowledged than the durable one", () => {
  const made = cluster();
  made.step(2, () => {}, [matched(2, 1, 4, 3, "genesis/1/1/3")]);
  expect(made.violations).toHaveLength(1);
});

test("an acknowledgement in a term that a crash would forget", () => {
  const made = cluster();
  made.step(2, () => {}, [matched(2, 1, 6, 3, "genesis/1/1/4")]);
  expect(made.violations).toEqual([
    `${NAME}: node 2 acknowledges index 3 in term 6, but after a crash it would be back in term 4`,
  ]);
});

test("a snapshot said to be installed before it is durable", () => {
  const made = cluster();
  made.step(2, () => {}, [installed(2, 1, 4, 10)]);
  expect(made.violations).toEqual([
    `${NAME}: node 2 says that it installed a snapshot up to 10, but its disk ends at 3`,
  ]);
});

test("a leader by its own vote, which is not durable", () => {
  const made = cluster();
  made.step(2, () => {}, [grant(2, 1, 4)]);
  made.step(1, lead(4));
  expect(made.violations).toEqual([
    `${NAME}: node 1 leads term 4 by its own vote, but durable is only its vote for 0 in term 0`,
  ]);
});

test("a leader by the votes of the others needs no durable vote of its own", () => {
  const made = cluster();
  made.member(3).disk.durableTerm = 4;
  made.member(3).disk.durableVote = 1;
  made.step(2, () => {}, [grant(2, 1, 4)]);
  made.step(3, () => {}, [grant(3, 1, 4)]);
  made.step(1, lead(4));
  expect(made.violations).toEqual([]);
});

test("a leader whose own vote is durable", () => {
  const made = cluster();
  made.step(1, (node, { disk }) => {
    disk.durableTerm = 4;
    disk.durableVote = 1;
    lead(4)(node);
  });
  expect(made.violations).toEqual([]);
});

test("a Byzantine peer may say anything", () => {
  const made = cluster([2]);
  made.step(2, () => {}, [grant(2, 3, 5), matched(2, 1, 9, 9, "nothing")]);
  expect(made.violations).toEqual([]);
});
