import { expect, test } from "vitest";
import { Agenda } from "./agenda.ts";

test("things happen in order of time, those of one time as they were planned, each at its own time", () => {
  const agenda = new Agenda();
  const happened: string[] = [];
  const note = (name: string) => (atUs: number) => void happened.push(`${name} ${atUs}`);
  agenda.plan({}, 20, note("b"));
  agenda.plan({}, 10, note("a"));
  agenda.plan({}, 20, note("c"));
  agenda.plan({}, 31, note("later"));
  expect(agenda.nextUs).toBe(10);
  agenda.advance(30);
  expect(happened).toEqual(["a 10", "b 20", "c 20"]);
  expect(agenda.nextUs).toBe(31);
});

test("what follows from a thing happens in the same advance when it is due", () => {
  const agenda = new Agenda();
  const happened: number[] = [];
  agenda.plan({}, 10, (atUs) => agenda.plan({}, atUs + 5, (thenUs) => happened.push(thenUs)));
  agenda.advance(15);
  expect(happened).toEqual([15]);
});

test("what is cancelled does not happen, and never is never planned", () => {
  const agenda = new Agenda();
  const guest = {};
  agenda.plan(guest, 10, () => expect.unreachable());
  agenda.plan({}, Infinity, () => expect.unreachable());
  agenda.cancel(guest);
  expect(agenda.nextUs).toBe(Infinity);
  agenda.advance(100);
});
