/** How far the best attempt of a failed search came, told as an order of operations. */
import { at, FRONT, item, LEFT, type Memory, NONE, PARENT, PLACED, STATE } from "./configurations.ts";
import { OBSERVES, type OperationTables, OVERWRITES } from "./operation-tables.ts";
import type { Furthest, Start } from "./segment.ts";
import type { States } from "./states.ts";

/** What a search leaves when it has found no order. */
export interface Searched<State, Input, Output> {
  readonly memory: Memory;
  readonly tables: OperationTables<State, Input, Output>;
  readonly states: States<State, Input, Output>;
  readonly starts: readonly Start<State>[];
}

export function furthestOf<State, Input, Output>({
  memory,
  tables,
  states,
  starts,
}: Searched<State, Input, Output>): Furthest<State> {
  let furthest = 0;
  for (let row = 1; row < memory.count; row++) {
    const ahead = memory.field(row, FRONT) - memory.field(furthest, FRONT);
    if (ahead > 0 || (ahead === 0 && memory.field(row, LEFT) < memory.field(furthest, LEFT))) furthest = row;
  }
  const path = [furthest];
  for (let row = memory.field(furthest, PARENT); row !== NONE; row = memory.field(row, PARENT)) path.push(row);
  path.reverse();

  const start = item(starts, memory.field(path[0] ?? 0, PLACED));
  const front = memory.field(furthest, FRONT);
  tables.readLeft(memory, furthest, front);
  const unplaced = [...tables.left.subarray(0, tables.leftLength)];
  unplaced.sort((left, right) => at(tables.callEvent, left) - at(tables.callEvent, right));
  return {
    start,
    placed: orderOf(memory, tables, path, start),
    state: states.get(memory.field(furthest, STATE)),
    blocked: ~at(tables.eventOperation, front),
    unplaced,
  };
}

/** The operations placed on a path of configurations, with what observed or was hidden on the way. */
function orderOf<State, Input, Output>(
  memory: Memory,
  tables: OperationTables<State, Input, Output>,
  path: readonly number[],
  start: Start<State>,
): number[] {
  const order: number[] = [];
  let lastOverwrite = NONE;
  let waiting: number[] = [];
  for (let operation = 0; operation < tables.carried; operation++) {
    if (!start.spent.includes(operation)) waiting.push(operation);
  }
  let passed = tables.carried;
  for (const row of path) {
    const placed = memory.field(row, PLACED);
    const isStart = memory.field(row, PARENT) === NONE;
    if (!isStart && placed >= 0) {
      if (at(tables.kind, placed) === OVERWRITES) lastOverwrite = order.length;
      order.push(placed);
    } else if (!isStart && lastOverwrite !== NONE) {
      // What lapsed is hidden immediately before what covers it, unless that is before the segment.
      order.splice(lastOverwrite, 0, ~placed);
      lastOverwrite += 1;
    }
    const front = memory.field(row, FRONT);
    for (let event = passed + 1; event < front; event++) {
      const operation = at(tables.eventOperation, event);
      if (operation >= 0) waiting.push(operation);
    }
    passed = front - 1;
    tables.readLeft(memory, row, front);
    const left = new Set(tables.left.subarray(0, tables.leftLength));
    for (const operation of waiting) {
      const isSeen = at(tables.kind, operation) === OBSERVES && !tables.isUnknown(operation) && !left.has(operation);
      if (isSeen) order.push(operation);
    }
    waiting = waiting.filter((operation) => left.has(operation));
  }
  return order;
}
