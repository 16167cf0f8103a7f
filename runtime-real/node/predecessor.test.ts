import { pino } from "pino";
import { expect, test } from "vitest";
import { NodeView } from "../../core/testing/index.ts";
import { ApiError } from "../errors/index.ts";
import type { NodeSettings } from "../storage/index.ts";
import { Predecessor } from "./predecessor.ts";
import { SETTINGS } from "./testing/index.ts";

/** Node 4, which takes the place of node 3. */
function predecessorOf(node: NodeView, leave: (nodeId: number) => Promise<unknown>) {
  let settings: NodeSettings = { ...SETTINGS, nodeId: 4, replaces: 3 };
  const predecessor = new Predecessor({
    nodeId: 4,
    node,
    settings: {
      get current() {
        return settings;
      },
      change: (change) => {
        settings = { ...settings, ...change };
      },
    },
    leave,
    log: pino({ level: "silent" }),
  });
  return { predecessor, replaces: () => settings.replaces };
}

test("it leaves once this node votes and there is a leader, and is forgotten when it has left", async () => {
  const node = new NodeView([1, 3]);
  const asked: number[] = [];
  const { predecessor, replaces } = predecessorOf(node, async (nodeId) => void asked.push(nodeId));
  node.leaderId = 1;
  predecessor.review();
  expect(asked).toEqual([]);
  const voting = new NodeView([1, 3, 4]);
  node.configuration = voting.configuration;
  predecessor.review();
  predecessor.review();
  expect(asked).toEqual([3]);
  await new Promise(setImmediate);
  expect(replaces()).toBe(null);
  predecessor.review();
  expect(asked).toEqual([3]);
});

test("a failure is tried again; a node that is gone already counts as left", async () => {
  const node = new NodeView([1, 3, 4]);
  node.leaderId = 1;
  let answer = new ApiError("noLeader", "no leader", "wait");
  let asked = 0;
  const { predecessor, replaces } = predecessorOf(node, () => {
    asked++;
    return Promise.reject(answer);
  });
  predecessor.review();
  await new Promise(setImmediate);
  expect(replaces()).toBe(3);
  answer = new ApiError("nodeNotFound", "node 3 is no member", "look");
  predecessor.review();
  await new Promise(setImmediate);
  expect(asked).toBe(2);
  expect(replaces()).toBe(null);
});
