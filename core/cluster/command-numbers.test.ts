/**
 * The numbers that stand for commands in logs and in events, and what events name as their target. Somebody may have
 * them on disk, so they are written down a second time here: a number is never changed, nor given to another command.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Random, type Schema, valid } from "../schema/index.ts";
import { AUDITED_COMMANDS, type Command, commandSchema } from "./command.ts";
import { eventsOf } from "./events.ts";
import { applyEntries, emptyState, encodeRequest, stampRequest } from "./index.ts";

/** Kind: number in requests, number in events, the field that is the target. */
const PINNED: Readonly<Record<string, readonly [number | readonly [number, number], number, string | null]>> = {
  createVm: [2, 0, "name"],
  updateVm: [3, 1, "name"],
  deleteVm: [4, 2, "name"],
  createToken: [5, 3, "id"],
  revokeToken: [6, 4, "id"],
  admitNode: [7, 5, "nodeId"],
  announceNode: [8, 6, "nodeId"],
  registerWorker: [[9, 0], 7, "workerId"],
  workerLost: [[9, 1], 8, "workerId"],
  observe: [[9, 2], 9, "workerId"],
  placeVm: [[9, 3], 10, "name"],
  preempt: [[9, 4], 11, "name"],
  evictVm: [[9, 5], 12, "name"],
  recoverVm: [[9, 6], 13, "name"],
  dropNomination: [[9, 7], 14, "name"],
  placeTask: [[9, 8], 15, "id"],
  setVmDesired: [[9, 9], 16, "name"],
  restartVm: [[9, 10], 17, "name"],
  migrateVm: [[9, 11], 18, "name"],
  setAvailability: [[9, 12], 19, "workerId"],
  confirmWorkerDead: [[9, 13], 20, "workerId"],
  setQuota: [[9, 14], 21, "tenant"],
  createPool: [[9, 15], 22, "spec.name"],
  deletePool: [[9, 16], 23, "name"],
  setPoolEnabled: [[9, 17], 24, "name"],
  submitTask: [[9, 18], 25, "id"],
  cancelTask: [[9, 19], 26, "id"],
  configureScheduler: [[9, 20], 28, null],
  rebalance: [[9, 21], 27, null],
  setPoolStrategy: [[9, 22], 29, null],
  removeWorker: [[9, 23], 30, "workerId"],
};

const { definition } = commandSchema;
const shapes = definition.kind === "variants" ? definition.shapes : [];

const random: fc.Arbitrary<Random> = fc.infiniteStream(fc.nat(2 ** 31 - 1)).map((numbers) => (bound) => {
  const { value } = numbers.next();
  return Number(value) % bound;
});

/** Any valid command of that kind. */
function commandOf(kind: string, draw: Random): Command {
  const schema: Schema<Command, unknown> = commandSchema;
  for (;;) {
    const drawn = valid(schema, draw);
    if (drawn.kind === kind) return drawn;
  }
}

function valueAt(command: Command, path: string): string {
  let value: unknown = command;
  for (const step of path.split("."))
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : null;
  return String(value);
}

test("every command has its numbers, and no other has them", () => {
  const sessions = { openSession: 0, closeSession: 1 };
  const pinned = Object.entries(PINNED).map(([kind, [number]]) => [kind, number] as const);
  expect(Object.fromEntries(shapes.map(({ kind, number }) => [kind, number]))).toEqual({
    ...sessions,
    ...Object.fromEntries(pinned),
  });
  const inEvents = Object.entries(PINNED).map(([kind, [, number]]) => [number, kind] as const);
  expect(Object.fromEntries(AUDITED_COMMANDS.entries())).toEqual(Object.fromEntries(inEvents));
});

describe.each(Object.entries(PINNED))("the event of %s", (kind, [, , target]) => {
  test("names what it is about", () => {
    fc.assert(
      fc.property(random, (draw) => {
        const command = commandOf(kind, draw);
        const data = stampRequest(encodeRequest({ session: null, actor: "somebody", command }), {
          wallMs: 7,
          proposer: 1,
        });
        const { state } = applyEntries(emptyState(), [{ index: 1, term: 1, data }]);
        const told = [...eventsOf(state.events)].find((event) => event.kind === "requested");
        expect(told).toMatchObject({ command: kind, target: target === null ? null : valueAt(command, target) });
      }),
      { numRuns: 5 },
    );
  });
});
