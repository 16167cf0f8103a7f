import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue } from "./queue.ts";

interface Event {
  readonly timeUs: number;
  readonly number: number;
}

test("pops what a sorted list would, ties in the order of pushing", () => {
  const step = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 20 }) }, { weight: 2, arbitrary: fc.constant("pop") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const queue = new EventQueue<Event>(1);
      const model: Event[] = [];
      steps.forEach((what, number) => {
        if (typeof what === "number") {
          const event = { timeUs: what, number };
          queue.push(what, event);
          model.push(event);
          model.sort((a, b) => a.timeUs - b.timeUs || a.number - b.number);
        } else {
          expect(queue.peekTimeUs()).toBe(model[0]?.timeUs ?? Infinity);
          expect(queue.pop()).toBe(model.shift());
        }
        expect(queue.size).toBe(model.length);
      });
      for (const event of model) expect(queue.pop()).toBe(event);
      expect(queue.pop()).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

test("keeps order among many more events than it had room for", () => {
  const queue = new EventQueue<Event>(16);
  const events = Array.from({ length: 5000 }, (_, number) => ({ timeUs: (number * 7919) % 1009, number }));
  for (const event of events) queue.push(event.timeUs, event);
  const popped = events.map(() => queue.pop());
  expect(popped).toEqual(events.toSorted((a, b) => a.timeUs - b.timeUs || a.number - b.number));
});

test("takes whole microseconds only", () => {
  const queue = new EventQueue<Event>();
  for (const timeUs of [0.5, Number.NaN, Infinity])
    expect(() => queue.push(timeUs, { timeUs, number: 0 })).toThrow(RangeError);
  expect(queue.size).toBe(0);
});

test("lets go of what it has handed out", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: unknown = runInNewContext("gc");
  if (typeof collectGarbage !== "function") throw new Error("no garbage collector to call");
  const queue = new EventQueue<object>();
  const popped = ((): WeakRef<object> => {
    const event = { kind: "large" };
    queue.push(1, event);
    queue.push(2, {});
    queue.pop();
    return new WeakRef(event);
  })();
  return new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
    collectGarbage();
    expect(popped.deref()).toBeUndefined();
    expect(queue.size).toBe(1);
  });
});
