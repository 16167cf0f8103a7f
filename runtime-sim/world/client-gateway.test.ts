import { expect, test } from "vitest";
import type { ClientAnswer, ClientRequest } from "../../core/index.ts";
import { Streams } from "../random/index.ts";
import { ClientGateway } from "./client-gateway.ts";
import { EVENT } from "./event.ts";
import { EventLoop } from "./event-loop.ts";
import type { Host } from "./host.ts";
import { membersOf } from "./testing/index.ts";

const REQUEST: ClientRequest = { kind: "transferLeadership", to: 1 };
const DONE: ClientAnswer = { kind: "leadershipTransferred", to: 1 };
const NOBODY = { answered: () => {} };

function setUp(): { readonly loop: EventLoop; readonly gateway: ClientGateway; readonly host: Host } {
  const loop = new EventLoop();
  const [host] = membersOf(1).hosts;
  if (host === undefined) throw new RangeError("there is no host");
  return { loop, gateway: new ClientGateway(loop, new Streams(1).stream("clients")), host };
}

test("a request reaches whoever lives at the place, a little later", () => {
  const { loop, gateway, host } = setUp();
  gateway.request(host.place, REQUEST, NOBODY, 7);
  const event = loop.next(Infinity);
  expect(event).toMatchObject({ kind: EVENT.request, host, number: 7, request: REQUEST, caller: NOBODY });
  expect(loop.nowUs).toBeGreaterThanOrEqual(100);
});

test("where nobody lives the connection is refused", () => {
  const { loop, gateway, host } = setUp();
  host.place.host = null;
  gateway.request(host.place, REQUEST, NOBODY, 7);
  expect(loop.next(Infinity)).toMatchObject({ kind: EVENT.answer, number: 7, answer: null });
});

test("an answer goes to the call that it belongs to, and only once", () => {
  const { loop, gateway, host } = setUp();
  const first = gateway.accept(host, NOBODY, 7);
  const second = gateway.accept(host, NOBODY, 8);
  expect(gateway.answer(host, second, DONE)).toBe(true);
  expect(gateway.answer(host, second, DONE)).toBe(false);
  expect(loop.next(Infinity)).toMatchObject({ kind: EVENT.answer, number: 8, answer: DONE });
  expect(gateway.answer(host, first, DONE)).toBe(true);
  expect(loop.next(Infinity)).toMatchObject({ number: 7 });
  expect(gateway.answer(host, 99, DONE)).toBe(false);
});

test("when the process ends, every open call breaks", () => {
  const { loop, gateway, host } = setUp();
  gateway.accept(host, NOBODY, 7);
  const open = gateway.accept(host, NOBODY, 8);
  gateway.breakOff(host);
  const broken = [loop.next(Infinity), loop.next(Infinity)].map((event) => [event?.number, event?.answer]);
  expect(broken.sort()).toEqual([
    [7, null],
    [8, null],
  ]);
  expect(gateway.answer(host, open, DONE)).toBe(false);
});
