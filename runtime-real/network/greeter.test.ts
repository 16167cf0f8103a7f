import { pino } from "pino";
import { expect, test } from "vitest";
import { encodeMessage, type Message } from "../../core/index.ts";
import { Complaints } from "./complaints.ts";
import { Greeter } from "./greeter.ts";
import { type Hello, helloOf, parseHello } from "./handshake.ts";
import type { NetworkHandlers } from "./index.ts";
import { handlersWith } from "./testing/index.ts";

const complaints = new Complaints(pino({ level: "silent" }));
const introduction: Message = {
  type: "introduction",
  clusterId: "c",
  incarnation: 0,
  from: 3,
  to: 1,
  term: 1,
  links: [],
};
const text = Buffer.from(encodeMessage(introduction)).toString("base64");

function greeterOf(handlers: NetworkHandlers): Greeter {
  return new Greeter({ nodeId: 1, clusterId: "c", incarnation: 0, addresses: ["a:1"], handlers, complaints });
}

function hello(fields: Partial<Pick<Hello, "clusterId" | "incarnation" | "introduction">> = {}): Uint8Array {
  return helloOf({ nodeId: 2, clusterId: "c", incarnation: 0, introduction: null, addresses: ["b:2"], ...fields });
}

test("members and workers are welcome", () => {
  const greeter = greeterOf(handlersWith({ members: ["m"], workers: ["w"] }));
  for (const from of ["m", "w"]) expect(greeter.answer(from, hello())).toEqual({ kind: "welcome", nodeId: 1 });
});

test("a member says where it is to be dialled, and nobody else is listened to", () => {
  const told: unknown[] = [];
  const toldAddresses = (from: string, addresses: readonly string[]): void => void told.push([from, addresses]);
  const greeter = greeterOf(handlersWith({ members: ["m"], workers: ["w"] }, { toldAddresses }));
  for (const from of ["w", "stranger", "m"]) greeter.answer(from, hello());
  expect(told).toEqual([["m", ["b:2"]]]);
  expect(parseHello(greeter.hello(2, false))?.addresses).toEqual(["a:1"]);
});

test("others are refused, each for its own reason", () => {
  const greeter = greeterOf(handlersWith({ members: ["m"], removed: ["gone"] }));
  const refused = { kind: "refused", introduction: null };
  expect(greeter.answer("m", Uint8Array.of(1))).toEqual({ ...refused, reason: "invalid" });
  expect(greeter.answer("m", hello({ clusterId: "other" }))).toEqual({ ...refused, reason: "wrongCluster" });
  expect(greeter.answer("m", hello({ incarnation: 1 }))).toEqual({ ...refused, reason: "wrongCluster" });
  expect(greeter.answer("gone", hello())).toEqual({ ...refused, reason: "removed" });
  expect(greeter.answer("stranger", hello())).toEqual({ ...refused, reason: "notMember" });
});

test("a node that has left is shown the proof, if there is one", () => {
  const greeter = greeterOf(
    handlersWith({}, { introduction: (_, peerId) => (peerId === "left" ? introduction : null) }),
  );
  expect(greeter.answer("left", hello())).toMatchObject({ reason: "notMember", introduction: text });
});

test("the proof of a node that is not known goes to the core; rubbish and that of a member do not", () => {
  const heard: unknown[] = [];
  const handlers = handlersWith({ members: ["m"] }, { message: (from, message) => void heard.push([from, message]) });
  const greeter = greeterOf(handlers);
  greeter.answer("m", hello({ introduction: text }));
  greeter.answer("stranger", hello({ introduction: "AAAA" }));
  expect(heard).toEqual([]);
  greeter.answer("stranger", hello({ introduction: text }));
  expect(heard).toEqual([["stranger", introduction]]);
});

test("this node's own hello shows its proof only when it is asked to", () => {
  const greeter = greeterOf(handlersWith({}, { introduction: () => introduction }));
  expect(parseHello(greeter.hello(2, false))).toMatchObject({ nodeId: 1, clusterId: "c", introduction: null });
  expect(parseHello(greeter.hello(2, true))).toMatchObject({ introduction: text });
});
