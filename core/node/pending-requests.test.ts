import { expect, test } from "vitest";
import type { ClientAnswer, ClientRequest } from "../index.ts";
import { PendingRequests } from "./pending-requests.ts";

const READ: ClientRequest = { kind: "read", query: { kind: "getVm", name: "a" }, consistency: "stale" };
const GIVEN: ClientAnswer = { kind: "leadershipTransferred", to: 2 };

function pending(random = 0): { readonly requests: PendingRequests; readonly answers: [number, string][] } {
  const answers: [number, string][] = [];
  const requests = new PendingRequests(100, (requestId, answer) =>
    answers.push([requestId, answer.kind === "refused" ? answer.refusal.kind : answer.kind]),
  );
  requests.start(random);
  return { requests, answers };
}

test("each request gets one answer, the first", () => {
  const { requests, answers } = pending();
  const ticket = requests.add(7, READ, 0);
  requests.refuse(ticket, { kind: "readTimedOut" });
  requests.answer(ticket, GIVEN);
  expect(answers).toEqual([[7, "readTimedOut"]]);
  expect(requests.size).toBe(0);
});

test("what is turned away waits for nothing", () => {
  const { requests, answers } = pending();
  requests.reject(7, { kind: "noLeader" });
  expect(answers).toEqual([[7, "noLeader"]]);
  expect(requests.size).toBe(0);
});

test("the next deadline is the oldest's", () => {
  const { requests } = pending();
  expect(requests.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  const first = requests.add(1, READ, 10);
  requests.add(2, READ, 20);
  expect(requests.deadlineMs).toBe(110);
  requests.answer(first, GIVEN);
  expect(requests.deadlineMs).toBe(120);
});

test("tickets of two processes do not meet, and the last of all is a safe integer", () => {
  const one = pending(1).requests.add(1, READ, 0);
  const other = pending(2).requests.add(1, READ, 0);
  expect(other - one).toBe(2 ** 20);
  expect(Number.isSafeInteger(pending(2 ** 32 - 1).requests.add(1, READ, 0) + 2 ** 20)).toBe(true);
});

test("all who wait can be refused at once, oldest first", () => {
  const { requests, answers } = pending();
  for (const requestId of [3, 1, 2]) requests.add(requestId, READ, 0);
  requests.refuseAll({ kind: "outcomeUnknown" });
  expect(answers.map(([requestId]) => requestId)).toEqual([3, 1, 2]);
});
