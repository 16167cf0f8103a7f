import { expect, test } from "vitest";
import { encodeMessage, type Message } from "../../core/index.ts";
import { CALM_LINK, Links, Network } from "../network/index.ts";
import { Streams } from "../random/index.ts";
import { Addresses } from "./addresses.ts";
import { ClientGateway } from "./client-gateway.ts";
import { EVENT, type SimEvent } from "./event.ts";
import { EventLoop } from "./event-loop.ts";
import type { SimMember } from "./member.ts";
import { membersOf } from "./testing/index.ts";
import { Transport } from "./transport.ts";

function setUp() {
  const loop = new EventLoop();
  const streams = new Streams(1);
  const network = new Network(2, CALM_LINK, streams.stream("network"));
  const links = new Links(network, CALM_LINK);
  const gateway = new ClientGateway(loop, streams.stream("clients"));
  const addresses = new Addresses({ loop, network, gateway, changed: () => {}, introduce: () => {} });
  const transport = new Transport(loop, network, links, addresses, streams.stream("damage"));
  const [from, to] = membersOf(2).all;
  if (from === undefined || to === undefined) throw new RangeError("there are not two hosts");
  for (const member of [from, to]) transport.connect(member.peerId, member);
  return { loop, network, links, transport, from, to };
}

function question(from: SimMember, to: SimMember): Message {
  const header = { clusterId: "simulated", incarnation: 1, from: from.id, to: to.id, term: 1 };
  return { type: "whoAreYou", ...header, configurationIndex: 3 };
}

function arrival(loop: EventLoop): SimEvent {
  const event = loop.next(Infinity);
  if (event === null) throw new RangeError("nothing arrives");
  return event;
}

test("a message travels as a value, from its sender's host", () => {
  const { loop, transport, from, to } = setUp();
  const message = question(from, to);
  transport.send(from, to.peerId, message);
  const event = arrival(loop);
  expect(event).toMatchObject({ kind: EVENT.deliver, member: to, number: from.host.index, from: from.peerId });
  expect(transport.received(event)).toBe(message);
  expect(transport.counters).toMatchObject({ delivered: 1, asBytes: 0, dropped: 0 });
});

test("on a link that carries bytes it travels through the wire format", () => {
  const { loop, links, transport, from, to } = setUp();
  links.setBytes(from.host.index, to.host.index);
  const message = question(from, to);
  transport.send(from, to.peerId, message);
  const event = arrival(loop);
  expect(event.message).toBeNull();
  expect(event.bytes).toEqual(encodeMessage(message));
  expect(transport.received(event)).toEqual(message);
  expect(transport.counters).toMatchObject({ delivered: 1, asBytes: 1 });
});

test("a frame that is damaged is dropped, and nothing is delivered", () => {
  const { loop, links, transport, from, to } = setUp();
  links.damage([{ from: from.host.index, to: to.host.index }], 1);
  transport.send(from, to.peerId, question(from, to));
  expect(transport.received(arrival(loop))).toBeNull();
  expect(transport.counters).toMatchObject({ delivered: 0, damagedFrames: 1, undecodable: 1, dropped: 1 });
});

test("a message to nobody, or to oneself, is dropped", () => {
  const { loop, transport, from, to } = setUp();
  transport.send(from, "nobody", question(from, to));
  transport.send(from, from.peerId, question(from, from));
  expect(loop.next(Infinity)).toBeNull();
  expect(transport.counters.dropped).toBe(2);
});

test("a link that is cut while a message is on its way is seen at its arrival", () => {
  const { loop, network, transport, from, to } = setUp();
  transport.send(from, to.peerId, question(from, to));
  const event = arrival(loop);
  expect(transport.isCut(event, to)).toBe(false);
  network.block([{ from: from.host.index, to: to.host.index }]);
  expect(transport.isCut(event, to)).toBe(true);
});
