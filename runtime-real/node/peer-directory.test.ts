import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AddressBook } from "../../core/index.ts";
import { NodeView } from "../../core/testing/index.ts";
import type { NetworkPeer } from "../network/index.ts";
import type { NodeSettings } from "../storage/index.ts";
import { PeerDirectory } from "./peer-directory.ts";
import { decodeServers } from "./servers.ts";
import { SETTINGS } from "./testing/index.ts";

const self = { id: 1, peerId: "peer-1", addresses: ["a:1"] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function directoryOf(node: NodeView, peers: NodeSettings["peers"] = []) {
  let settings = { ...SETTINGS, peers };
  const connected: (readonly NetworkPeer[])[] = [];
  const directory = new PeerDirectory({
    self,
    book: new AddressBook(self, node, peers),
    settings: {
      get current() {
        return settings;
      },
      change: (change) => {
        settings = { ...settings, ...change };
      },
    },
    connect: (wanted) => connected.push(wanted),
  });
  return { directory, connected, remembered: () => settings.peers };
}

test("announced addresses are remembered, and of a peer that has announced none the old ones stay", () => {
  const node = new NodeView([1, 2, 3]);
  const { directory, connected, remembered } = directoryOf(node, [
    { id: 2, peerId: "peer-2", addresses: ["old:2"] },
    { id: 3, peerId: "peer-3", addresses: ["old:3"] },
  ]);
  node.announce(2, "new:2");
  directory.update();
  expect(remembered()).toEqual([
    { id: 2, peerId: "peer-2", addresses: ["new:2", "old:2"] },
    { id: 3, peerId: "peer-3", addresses: ["old:3"] },
  ]);
  expect(connected.at(-1)?.map(({ id }) => id)).toEqual([2, 3]);
});

test("what a member tells is remembered, and dialled at once", () => {
  const { directory, connected, remembered } = directoryOf(new NodeView([1, 2]));
  directory.told("peer-2", ["new:2"]);
  const told = [{ id: 2, peerId: "peer-2", addresses: ["new:2"] }];
  expect([remembered(), connected]).toEqual([told, [told]]);
  directory.told("peer-2", ["new:2"]);
  expect(connected).toHaveLength(1);
});

test("workers are told of all members, this one too", () => {
  const node = new NodeView([2, 1]);
  const { directory } = directoryOf(node);
  const before = directory.encodedServers;
  expect(decodeServers(before)).toEqual([self, { id: 2, peerId: "peer-2", addresses: [] }]);
  expect(directory.encodedServers).toBe(before);
  node.announce(2, "b:2");
  directory.update();
  expect(decodeServers(directory.encodedServers)?.[1]?.addresses).toEqual(["b:2"]);
});

test("a member that has left stays connected for a moment, and is forgotten at once", () => {
  const node = new NodeView([1, 2, 3]);
  const leaving = { id: 3, peerId: "peer-3", addresses: ["c:3"] };
  const { directory, connected, remembered } = directoryOf(node, [leaving]);
  node.retire(3);
  directory.update();
  expect(connected.at(-1)).toContainEqual(leaving);
  expect(remembered().map(({ id }) => id)).toEqual([2]);
  expect(directory.peers().map(({ id }) => id)).toEqual([2]);
  vi.advanceTimersByTime(1000);
  expect(connected.at(-1)?.map(({ id }) => id)).toEqual([2]);
});

test("after stop nothing is connected any more", () => {
  const node = new NodeView([1, 2]);
  const { directory, connected } = directoryOf(node, [{ id: 2, peerId: "peer-2", addresses: [] }]);
  node.retire(2);
  directory.update();
  directory.stop();
  const { length } = connected;
  vi.advanceTimersByTime(10_000);
  expect(connected).toHaveLength(length);
});
