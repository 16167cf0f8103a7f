/** With stand-ins for connections; network.test.ts shows the same over real ones. */
import { peerIdFromString } from "@libp2p/peer-id";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Identity } from "../identity/index.ts";
import { Complaints } from "./complaints.ts";
import { type StrangerConnection, Strangers } from "./strangers.ts";
import { handlersWith } from "./testing/index.ts";

let stranger = "";
beforeEach(async () => {
  stranger = (await Identity.generate()).peerId;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const complaints = new Complaints(pino({ level: "silent" }));

function connectionOf(peerId: string, direction: "inbound" | "outbound" = "inbound") {
  const aborted: string[] = [];
  const connection: StrangerConnection = {
    remotePeer: peerIdFromString(peerId),
    direction,
    abort: (error) => void aborted.push(error.message),
  };
  return { connection, aborted };
}

test("a stranger may stay for half a minute", () => {
  const strangers = new Strangers(handlersWith({}), complaints);
  const { connection, aborted } = connectionOf(stranger);
  strangers.opened(connection);
  vi.advanceTimersByTime(29_999);
  expect(strangers.has(connection)).toBe(true);
  expect(aborted).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(strangers.has(connection)).toBe(false);
  expect(aborted).toEqual(["a stranger's time is over"]);
});

test("a stranger that has become a member in that time stays", () => {
  const members: string[] = [];
  const strangers = new Strangers(handlersWith({ members }), complaints);
  const { connection, aborted } = connectionOf(stranger);
  strangers.opened(connection);
  members.push(stranger);
  vi.advanceTimersByTime(60_000);
  expect(aborted).toEqual([]);
});

test("members, workers and connections that this node has opened are no strangers", () => {
  const known = [handlersWith({ members: [stranger] }), handlersWith({ workers: [stranger] })];
  for (const handlers of known) {
    const strangers = new Strangers(handlers, complaints);
    const { connection } = connectionOf(stranger);
    strangers.opened(connection);
    expect(strangers.has(connection)).toBe(false);
  }
  const strangers = new Strangers(handlersWith({}), complaints);
  const { connection } = connectionOf(stranger, "outbound");
  strangers.opened(connection);
  expect(strangers.has(connection)).toBe(false);
});

test("there are 32 at most, until one leaves; members enter all the same", () => {
  const lines: string[] = [];
  const heard = new Complaints(pino({ base: null }, { write: (line) => lines.push(line) }));
  const strangers = new Strangers(handlersWith({ members: ["a-member"] }), heard);
  const connections = Array.from({ length: 33 }, () => connectionOf(stranger));
  for (const { connection } of connections) strangers.opened(connection);
  expect(connections.map(({ aborted }) => aborted.length)).toEqual([...Array(32).fill(0), 1]);
  expect(strangers.mayEnter(stranger)).toBe(false);
  expect(strangers.mayEnter("a-member")).toBe(true);
  expect(lines).toHaveLength(1);
  const [first] = connections;
  if (first === undefined) throw new Error("fixture");
  strangers.closed(first.connection);
  expect(strangers.mayEnter(stranger)).toBe(true);
});

test("after stop no connection is ended any more", () => {
  const strangers = new Strangers(handlersWith({}), complaints);
  const { connection, aborted } = connectionOf(stranger);
  strangers.opened(connection);
  strangers.stop();
  vi.advanceTimersByTime(60_000);
  expect(aborted).toEqual([]);
});
