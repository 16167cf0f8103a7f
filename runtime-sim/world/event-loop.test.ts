import { expect, test } from "vitest";
import { EVENT, SimEvent } from "./event.ts";
import { EventLoop } from "./event-loop.ts";

function call(number: number): SimEvent {
  return new SimEvent(EVENT.call, null, number);
}

test("events come in order of time, those of one time as they were scheduled", () => {
  const loop = new EventLoop();
  loop.schedule(20, call(1));
  loop.schedule(10, call(2));
  loop.schedule(20, call(3));
  const taken: [number, number][] = [];
  for (let event = loop.next(100); event !== null; event = loop.next(100)) taken.push([event.number, loop.nowUs]);
  expect(taken).toEqual([
    [2, 10],
    [1, 20],
    [3, 20],
  ]);
});

test("an event for a time that has passed is refused", () => {
  const loop = new EventLoop();
  loop.schedule(20, call(1));
  loop.next(100);
  loop.schedule(20, call(2));
  expect(() => loop.schedule(19, call(3))).toThrow(RangeError);
});

test("an event that is due later is left alone, and time stands at the bound", () => {
  const loop = new EventLoop();
  loop.schedule(20, call(1));
  expect(loop.next(15)).toBeNull();
  expect(loop.nowUs).toBe(15);
  expect(loop.next(20)?.number).toBe(1);
});

test("time does not go back to a bound that has passed", () => {
  const loop = new EventLoop();
  loop.schedule(20, call(1));
  loop.next(20);
  loop.schedule(30, call(2));
  expect(loop.next(10)).toBeNull();
  expect(loop.nowUs).toBe(20);
});

test("`after` rounds up to whole microseconds, and never calls in the past", () => {
  const loop = new EventLoop();
  loop.after(0.2, () => {});
  loop.after(-5, () => {});
  loop.next(100);
  expect(loop.nowUs).toBe(0);
  loop.next(100);
  expect(loop.nowUs).toBe(1);
});

test("only events that are carried out count, and only they are in the hash", () => {
  const carriedOut = new EventLoop();
  const skipped = new EventLoop();
  for (const loop of [carriedOut, skipped]) {
    loop.schedule(7, call(1));
    loop.next(10);
  }
  carriedOut.begin(call(1));
  expect(carriedOut.events).toBe(1);
  expect(skipped.events).toBe(0);
  expect(carriedOut.hash.hex()).not.toBe(skipped.hash.hex());
  expect(skipped.hash.hex()).toBe(new EventLoop().hash.hex());
});

test("time that stands still for good is an error", () => {
  const loop = new EventLoop();
  const again = (): void => loop.after(0, again);
  again();
  expect(() => {
    for (let event = loop.next(1); event !== null; event = loop.next(1)) event.call?.();
  }).toThrow("somebody keeps asking");
});
