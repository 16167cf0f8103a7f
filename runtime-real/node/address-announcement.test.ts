import { pino } from "pino";
import { expect, test } from "vitest";
import { AddressBook, type ClientAnswer, type ClientRequest } from "../../core/index.ts";
import { NodeView } from "../../core/testing/index.ts";
import { AddressAnnouncement } from "./address-announcement.ts";

const self = { id: 1, peerId: "peer-1", addresses: ["a:1"] };

test("addresses are proposed when there is a leader, and not again while that is under way", async () => {
  const node = new NodeView([1]);
  const requests: ClientRequest[] = [];
  let answer: (answer: ClientAnswer) => void = () => undefined;
  const announcement = new AddressAnnouncement({
    book: new AddressBook(self, node, []),
    request: (request) => {
      requests.push(request);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    log: pino({ level: "silent" }),
  });
  announcement.review();
  expect(requests).toEqual([]);
  node.leaderId = 1;
  announcement.review();
  announcement.review();
  const command = { kind: "announceNode", nodeId: 1, peerId: "peer-1", addresses: ["a:1"] };
  expect(requests).toEqual([{ kind: "propose", request: { session: null, command } }]);
  answer({ kind: "refused", refusal: { kind: "noLeader" } });
  await new Promise(setImmediate);
  announcement.review();
  expect(requests).toHaveLength(2);
});
