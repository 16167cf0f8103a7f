import { expect, test } from "vitest";
import type { ClientAnswer, ClientRequest } from "../../core/index.ts";
import { Streams } from "../random/index.ts";
import { ClientGateway } from "./client-gateway.ts";
import { EVENT } from "./event.ts";
import { EventLoop } from "./event-loop.ts";
import type { SimMember } from "./member.ts";
import { membersOf } from "./testing/index.ts";

const REQUEST: ClientRequest = { kind: "transferLeadership", to: 1 };
const DONE: ClientAnswer = { kind: "leadershipTransferred", to: 1 };
const NOBODY = { answered: () => {} };

function setUp(): { readonly loop: EventLoop; readonly gateway: ClientGateway; readonly member: SimMember } {
  const loop = new EventLoop();
  const [member] = membersOf(1).all;
  if (member === undefined) throw new RangeError("there is no host");
  return { loop, gateway: new ClientGateway(loop, new Streams(1).stream("clients")), member };
}

test("a request reaches the member on the host, a little later", () => {
  const { loop, gateway, member } = setUp();
  gateway.request(member.host, REQUEST, NOBODY, 7);
  const event = loop.next(Infinity);
  expect(event).toMatchObject({ kind: EVENT.request, member, number: 7, request: REQUEST, caller: NOBODY });
  expect(loop.nowUs).toBeGreaterThanOrEqual(100);
});

test("without a member on the host the connection is refused", () => {
  const { loop, gateway, member } = setUp();
  member.host.member = null;
  gateway.request(member.host, REQUEST, NOBODY, 7);
  expect(loop.next(Infinity)).toMatchObject({ kind: EVENT.answer, number: 7, answer: null });
});

test("an answer goes to the call that it belongs to, and only once", () => {
  const { loop, gateway, member } = setUp();
  const first = gateway.accept(member, NOBODY, 7);
  const second = gateway.accept(member, NOBODY, 8);
  expect(gateway.answer(member, second, DONE)).toBe(true);
  expect(gateway.answer(member, second, DONE)).toBe(false);
  expect(loop.next(Infinity)).toMatchObject({ kind: EVENT.answer, number: 8, answer: DONE });
  expect(gateway.answer(member, first, DONE)).toBe(true);
  expect(loop.next(Infinity)).toMatchObject({ number: 7 });
  expect(gateway.answer(member, 99, DONE)).toBe(false);
});

test("when the process ends, every open call breaks", () => {
  const { loop, gateway, member } = setUp();
  gateway.accept(member, NOBODY, 7);
  const open = gateway.accept(member, NOBODY, 8);
  gateway.breakOff(member);
  const broken = [loop.next(Infinity), loop.next(Infinity)].map((event) => [event?.number, event?.answer]);
  expect(broken.sort()).toEqual([
    [7, null],
    [8, null],
  ]);
  expect(gateway.answer(member, open, DONE)).toBe(false);
});
