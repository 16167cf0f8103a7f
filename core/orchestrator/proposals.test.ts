/** One proposal at a time about each subject. */
import { expect, test } from "vitest";
import { Proposals, type Subject } from "./proposals.ts";

const web: Subject = { kind: "vm", name: "web" };
const recover = { kind: "recoverVm", name: "web", epoch: 3 } as const;

test("what is proposed is handed out once, and is in flight until it is settled", () => {
  const proposals = new Proposals();
  expect(proposals.propose(web, recover)).toBe(true);
  const [proposal] = proposals.takeFresh();
  expect(proposal?.command).toEqual(recover);
  expect(proposals.takeFresh()).toEqual([]);
  expect(proposals.has(web)).toBe(true);
  expect(proposals.settle(proposal?.key ?? "")).toEqual({ subject: web, placement: null });
  expect(proposals.has(web)).toBe(false);
});

test("while one is in flight there is no other about the same subject", () => {
  const proposals = new Proposals();
  proposals.propose(web, recover);
  expect(proposals.propose(web, recover)).toBe(false);
  expect(proposals.takeFresh()).toHaveLength(1);
  // Another subject of the same name is another subject.
  expect(proposals.propose({ kind: "task", id: "web" }, recover)).toBe(true);
  expect(proposals.propose({ kind: "worker", workerId: 1 }, recover)).toBe(true);
  expect(proposals.propose({ kind: "lost", workerId: 1 }, recover)).toBe(true);
});

test("an answer to a proposal of another leadership settles nothing", () => {
  expect(new Proposals().settle("vm:web")).toBeNull();
});

test("there are only so many in flight", () => {
  const proposals = new Proposals();
  let count = 0;
  while (!proposals.isFull) proposals.propose({ kind: "vm", name: `vm-${count++}` }, recover);
  expect(count).toBe(256);
  proposals.settle(proposals.takeFresh()[0]?.key ?? "");
  expect(proposals.isFull).toBe(false);
});
