import { expect, test } from "vitest";
import { NodeView } from "../../core/testing/index.ts";
import { EventFeed } from "./event-feed.ts";

test("listeners are told once a turn of the event loop, until they unsubscribe", async () => {
  const feed = new EventFeed(new NodeView([1]));
  let told = 0;
  const unsubscribe = feed.subscribe(() => {
    told++;
  });
  feed.announce();
  feed.announce();
  expect(told).toBe(0);
  await new Promise(setImmediate);
  expect(told).toBe(1);
  unsubscribe();
  feed.announce();
  await new Promise(setImmediate);
  expect(told).toBe(1);
});

test("a page holds the events after an index", () => {
  const node = new NodeView([1]);
  const secretHash = "0".repeat(64);
  node.apply({ kind: "createToken", id: "token0001", secretHash, purpose: "api", ttlMs: 60_000, nodeId: null });
  node.apply({ kind: "revokeToken", id: "token0001" });
  const feed = new EventFeed(node);
  const { events } = feed.page(0, 10);
  expect(events.map(({ kind }) => kind)).toEqual(["tokenCreated", "tokenRevoked"]);
  expect(feed.page(events[0]?.index ?? 0, 10).events).toEqual(events.slice(1));
});
