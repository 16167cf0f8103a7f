import { pino } from "pino";
import { expect, test } from "vitest";
import type { ClientAnswer, ClientRequest } from "../../core/index.ts";
import { AddressAnnouncement } from "./address-announcement.ts";
import { NodeView } from "./testing/index.ts";

const self = { id: 1, peerId: "peer-1", addresses: ["a:1"] };

function announcementOf(node: NodeView) {
  const requests: ClientRequest[] = [];
  let answer: (answer: ClientAnswer) => void = () => undefined;
  const announcement = new AddressAnnouncement({
    self,
    node,
    request: (request) => {
      requests.push(request);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    log: pino({ level: "silent" }),
  });
  return {
    announcement,
    requests,
    refuse: async () => {
      answer({ kind: "refused", refusal: { kind: "noLeader" } });
      await new Promise(setImmediate);
    },
  };
}

test("addresses are proposed when there is a leader, and not again while that is under way", async () => {
  const node = new NodeView([1]);
  const { announcement, requests, refuse } = announcementOf(node);
  announcement.review();
  expect(requests).toEqual([]);
  node.leaderId = 1;
  announcement.review();
  announcement.review();
  const command = { kind: "announceNode", nodeId: 1, peerId: "peer-1", addresses: ["a:1"] };
  expect(requests).toEqual([{ kind: "propose", request: { session: null, command } }]);
  await refuse();
  announcement.review();
  expect(requests).toHaveLength(2);
});

test("addresses that the cluster knows are not proposed", () => {
  const node = new NodeView([1]);
  node.leaderId = 1;
  node.announce(1, "a:1");
  const { announcement, requests } = announcementOf(node);
  announcement.review();
  expect(requests).toEqual([]);
  node.announce(1, "somewhere:else");
  announcement.review();
  expect(requests).toHaveLength(1);
});

test("a node that is no member any more proposes nothing", () => {
  const node = new NodeView([1, 2]);
  node.leaderId = 2;
  node.retire(1);
  const { announcement, requests } = announcementOf(node);
  announcement.review();
  expect(requests).toEqual([]);
});
