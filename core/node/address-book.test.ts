import { expect, test } from "vitest";
import { emptyState } from "../cluster/index.ts";
import { DEFAULT_COUNT_LIMITS } from "../domain/index.ts";
import type { ClientAnswer } from "../runtime.ts";
import { NodeView } from "../testing/index.ts";
import { AddressBook, type MemberPlace } from "./index.ts";

const self = { id: 1, peerId: "peer-1", addresses: ["a:1"] };
const APPLIED: ClientAnswer = { kind: "applied", index: 1, term: 1, result: { ok: true, kind: "nodeAnnounced" } };

function place(id: number, ...addresses: string[]): MemberPlace {
  return { id, peerId: `peer-${id}`, addresses };
}

/** What it wants to announce, the longest that it waits for others included. */
function wanted(book: AddressBook): string {
  for (let asked = 0; asked < 10; asked += 1) {
    const announcement = book.announcement();
    if (announcement !== null) return `${announcement.nodeId} at ${announcement.addresses.join()}`;
  }
  return "nothing";
}

test("a peer is where it has announced to be, and where it was last known to be", () => {
  const node = new NodeView([1, 2, 3]);
  node.announce(2, "new:2");
  const book = new AddressBook(self, node, [place(2, "old:2", "new:2"), place(3, "old:3")]);
  expect(book.peers()).toEqual([place(2, "new:2", "old:2"), place(3, "old:3")]);
});

test("what another identity has announced under a member's id does not count", () => {
  const node = new NodeView([1, 2]);
  node.apply({ kind: "announceNode", nodeId: 2, peerId: "somebody-else", addresses: ["wrong:2"] });
  expect(new AddressBook(self, node, []).peers()).toEqual([place(2)]);
});

test("where a member says that it is comes first, and is remembered", () => {
  const node = new NodeView([1, 2]);
  node.announce(2, "old:2");
  const book = new AddressBook(self, node, []);
  expect(book.told("peer-2", ["new:2"])).toBe(true);
  expect(book.told("peer-2", ["new:2"])).toBe(false);
  const remembered = book.remember();
  expect(remembered).toEqual([place(2, "new:2", "old:2")]);
  expect(new AddressBook(self, node, remembered).peers()).toEqual([place(2, "old:2", "new:2")]);
});

test("nobody but a member is believed, and nobody about this node", () => {
  const book = new AddressBook(self, new NodeView([1, 2]), []);
  for (const peerId of ["stranger", "peer-1"]) expect(book.told(peerId, ["x:1"])).toBe(false);
  expect(book.told("peer-2", [])).toBe(false);
  expect(book.peers()).toEqual([place(2)]);
});

test("a member that this node has only been shown is found like the others", () => {
  const node = new NodeView([1, 2]);
  const book = new AddressBook(self, node, []);
  node.introduced = [{ id: 3, peerId: "peer-3", promote: true }];
  expect(book.told("peer-3", ["new:3"])).toBe(true);
  expect(book.peers()).toEqual([place(2), place(3, "new:3")]);
});

test("what replays of the log announce does not push out what the disk has", () => {
  const node = new NodeView([1, 2]);
  const book = new AddressBook(self, node, [place(2, "now:2")]);
  for (const address of ["first:2", "second:2", "third:2"]) {
    node.announce(2, address);
    book.remember();
  }
  expect(book.peers()[0]?.addresses).toContain("now:2");
});

test("a member that moves again and again does not make the list ever longer", () => {
  const book = new AddressBook(self, new NodeView([1, 2]), []);
  for (let move = 0; move < 100; move += 1) {
    book.told("peer-2", [`${move}:2`]);
    book.remember();
  }
  expect(book.peers()[0]?.addresses).toHaveLength(9);
  expect(book.peers()[0]?.addresses[0]).toBe("99:2");
});

test("a node announces itself when there is a leader, as long as it is a member", () => {
  const node = new NodeView([1, 2]);
  const book = new AddressBook(self, node, []);
  expect(wanted(book)).toBe("nothing");
  node.leaderId = 2;
  expect(wanted(book)).toBe("1 at a:1");
  node.announce(1, "a:1");
  expect(wanted(book)).toBe("nothing");
  node.announce(1, "elsewhere:1");
  expect(wanted(book)).toBe("1 at a:1");
  node.retire(1);
  expect(wanted(book)).toBe("nothing");
});

test("a node speaks once for a member that has moved and does not speak for itself", () => {
  const node = new NodeView([1, 2]);
  node.leaderId = 1;
  node.announce(1, "a:1");
  const book = new AddressBook(self, node, []);
  book.told("peer-2", ["new:2"]);
  expect(book.announcement()).toBeNull();
  expect(wanted(book)).toBe("2 at new:2");
  const announcement = book.announcement();
  if (announcement === null) throw new Error("it announces nothing");
  book.answered(announcement, { kind: "refused", refusal: { kind: "noLeader" } });
  expect(wanted(book)).toBe("2 at new:2");
  book.answered(announcement, APPLIED);
  expect(wanted(book)).toBe("nothing");
});

test("what would be refused is not announced: the id is bound to another identity", () => {
  const node = new NodeView([1, 2]);
  node.leaderId = 2;
  for (const nodeId of [1, 2])
    node.apply({ kind: "announceNode", nodeId, peerId: `other-${nodeId}`, addresses: ["other:1"] });
  const book = new AddressBook(self, node, []);
  book.told("peer-2", ["new:2"]);
  expect(wanted(book)).toBe("nothing");
});

test("what would be refused is not announced for as long as it would be: the cluster knows as many as it may", () => {
  const node = new NodeView([1, 2]);
  node.state = emptyState({ ...DEFAULT_COUNT_LIMITS, nodes: 1 });
  node.leaderId = 2;
  node.announce(9, "c:9");
  const book = new AddressBook(self, node, []);
  book.told("peer-2", ["new:2"]);
  expect(wanted(book)).toBe("nothing");
  node.state = emptyState();
  expect(wanted(book)).toBe("1 at a:1");
  node.announce(1, "a:1");
  expect(wanted(book)).toBe("2 at new:2");
});

test("nobody speaks for a member that has spoken", () => {
  const node = new NodeView([1, 2]);
  node.leaderId = 1;
  node.announce(1, "a:1");
  const book = new AddressBook(self, node, []);
  book.told("peer-2", ["new:2"]);
  node.announce(2, "new:2");
  expect(wanted(book)).toBe("nothing");
  node.announce(2, "newer:2");
  expect(wanted(book)).toBe("nothing");
});
