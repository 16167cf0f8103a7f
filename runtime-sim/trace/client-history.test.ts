import { expect, test } from "vitest";
import { checkHistory, parseJepsenHistory, register } from "../history/index.ts";
import {
  applied,
  CREATED,
  call,
  complete,
  deleted,
  EXISTS,
  FakeCluster,
  NOT_FOUND,
  updated,
} from "../oracles/testing/index.ts";
import type { ClientOperation } from "../workload/index.ts";
import { ClientHistory } from "./client-history.ts";

type Ended = readonly [fields: Parameters<typeof call>[1], answer: Parameters<typeof complete>[2]];

/** One call after the other. */
function historyOf(...calls: readonly Ended[]): ClientHistory {
  const cluster = new FakeCluster(1, []);
  const history = new ClientHistory();
  for (const [fields, answer] of calls) {
    const operation: ClientOperation = call(cluster, fields);
    history.invoked(operation);
    complete(cluster, operation, answer);
    history.completed(operation);
  }
  return history;
}

function verdictOf(history: ClientHistory): string {
  const { operations } = parseJepsenHistory([...history.lines("jepsen")].map((line) => JSON.stringify(line)));
  return checkHistory(register(), operations).verdict;
}

const CREATE = { id: 1, kind: "create", value: 1 } as const;
const UPDATE = { id: 2, kind: "update", value: 2, expectedGeneration: 1 } as const;
const DELETE = { id: 3, kind: "delete" } as const;
const MISMATCH = { ok: false, refusal: { kind: "generationMismatch", expected: 1, actual: 2 } } as const;

test("every kind of call and answer becomes what it is to a register", () => {
  const history = historyOf(
    [CREATE, applied(1, CREATED)],
    [{ ...CREATE, id: 4, value: 9 }, applied(2, EXISTS)],
    [UPDATE, applied(3, updated(2))],
    [{ ...UPDATE, id: 5, value: 8 }, applied(4, MISMATCH)],
    [DELETE, applied(5, deleted(2))],
    [{ ...UPDATE, id: 6, value: 7 }, applied(6, NOT_FOUND)],
    [{ ...CREATE, id: 7, value: 6 }, null],
  );
  const ends = [...history.lines("jepsen")].filter((line) => !("type" in line && line.type === "invoke"));
  expect(ends.map((line) => JSON.stringify(line, ["type", "f", "key", "value"]))).toEqual([
    '{"type":"ok","f":"cas","key":"vm value","value":[null,1]}',
    '{"type":"ok","f":"cas","key":"vm generation","value":[null,1]}',
    '{"type":"fail","f":"cas","key":"vm value","value":[null,9]}',
    '{"type":"fail","f":"cas","key":"vm generation","value":[null,1]}',
    '{"type":"ok","f":"write","key":"vm value","value":2}',
    '{"type":"ok","f":"cas","key":"vm generation","value":[1,2]}',
    '{"type":"fail","f":"write","key":"vm value","value":8}',
    '{"type":"ok","f":"read","key":"vm generation","value":2}',
    '{"type":"ok","f":"write","key":"vm value","value":null}',
    '{"type":"ok","f":"cas","key":"vm generation","value":[2,null]}',
    '{"type":"ok","f":"read","key":"vm value","value":null}',
    '{"type":"ok","f":"read","key":"vm generation","value":null}',
    '{"type":"info","f":"cas","key":"vm value","value":[null,6]}',
    '{"type":"info","f":"cas","key":"vm generation","value":[null,1]}',
  ]);
  expect(verdictOf(history)).toBe("linearizable");
});

test("planted: two updates of one generation are refused", () => {
  const twice = { ...UPDATE, id: 4, value: 8 };
  const history = historyOf(
    [CREATE, applied(1, CREATED)],
    [UPDATE, applied(2, updated(2))],
    [twice, applied(3, updated(2))],
  );
  expect(verdictOf(history)).toBe("violated");
});

test("planted: an acknowledged deletion that an update does not see is refused", () => {
  const history = historyOf(
    [CREATE, applied(1, CREATED)],
    [DELETE, applied(2, deleted(1))],
    [UPDATE, applied(3, updated(2))],
  );
  expect(verdictOf(history)).toBe("violated");
});

test("our own form has what each call and answer mean for the VM", () => {
  expect([...historyOf([CREATE, applied(1, CREATED)], [UPDATE, null]).lines("own")]).toMatchObject([
    { type: "invoke", operation: 1, vm: "vm", input: { kind: "create", value: 1 }, asked: { kind: "write" } },
    { type: "ok", operation: 1, vm: "vm", output: { kind: "written", generation: 1 }, answer: { index: 1 } },
    { type: "invoke", operation: 2, input: { kind: "update", value: 2, expectedGeneration: 1 } },
    { type: "unknown", operation: 2, answer: null },
  ]);
});
