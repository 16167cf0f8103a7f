import { expect, test } from "vitest";
import { ClientSession } from "./session.ts";

test("a window moves with the oldest request that waits", () => {
  const session = new ClientSession(7);
  expect([session.next(), session.next(), session.next()]).toEqual([1, 2, 3]);
  expect(session.lowestUnacknowledged).toBe(1);
  expect(session.room(4)).toBe(1);
  session.settled(2);
  expect(session.lowestUnacknowledged).toBe(1);
  session.settled(1);
  expect(session.lowestUnacknowledged).toBe(3);
  expect(session.room(4)).toBe(3);
  session.settled(3);
  expect(session.lowestUnacknowledged).toBe(4);
  expect(session.last).toBe(3);
});
