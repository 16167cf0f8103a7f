import {
  nodeSchema,
  storedPoolSchema,
  storedSessionSchema,
  storedTenantSchema,
  storedVmSchema,
  storedWorkerSchema,
  taskSchema,
  tokenSchema,
} from "../domain/index.ts";
import { eventsOf } from "./events.ts";
import { pack } from "./msgpack.ts";
import { headerToArray, singlesSchema, storedEventSchema } from "./snapshot-format.ts";
import type { ClusterState } from "./state.ts";
import { BUCKETS, bucketValues, type Table, tableValues } from "./table.ts";

/**
 * A state as chunks, each of `maxChunkBytes` but for the last; an empty state takes one of a few dozen bytes. Each
 * step does a chunk's work, and sorts a bucket at most, so it can go on between inputs: the state it began with does
 * not change.
 *
 * @param maxChunkBytes at least 1. Replicas must use the same for equal chunks.
 * @throws RangeError when `maxChunkBytes` is no positive integer.
 */
export function* encodeSnapshot(
  state: ClusterState,
  maxChunkBytes: number,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (!Number.isSafeInteger(maxChunkBytes) || maxChunkBytes < 1)
    throw new RangeError(`a chunk of ${maxChunkBytes} bytes: must be a positive integer`);
  const pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for (const item of snapshotItems(state)) {
    const framed = withLength(pack(item));
    pending.push(framed);
    pendingBytes += framed.length;
    while (pendingBytes >= maxChunkBytes) {
      yield takeBytes(pending, maxChunkBytes);
      pendingBytes -= maxChunkBytes;
    }
  }
  if (pendingBytes > 0) yield takeBytes(pending, pendingBytes);
}

function* snapshotItems(state: ClusterState): Generator<unknown, void, undefined> {
  yield headerToArray(state);
  const tenants = sortedValues(state.tenants, ({ name }) => name).filter(({ quota }) => quota !== null);
  yield [singlesSchema.write({ ...state, limitedTenantCount: tenants.length })];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const vms = bucketValues(state.vms, bucket).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const vm of vms) yield storedVmSchema.write({ ...vm, placement: vm });
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const sessions = bucketValues(state.sessions, bucket).sort((a, b) => a.id - b.id);
    for (const session of sessions) yield storedSessionSchema.write(session);
  }
  const tokens = [...state.tokens.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const token of tokens) yield tokenSchema.write(token);
  for (const node of sortedValues(state.nodes, ({ id }) => id)) yield nodeSchema.write(node);
  for (const event of eventsOf(state.events)) yield storedEventSchema.write(event);
  for (const worker of sortedValues(state.workers, ({ id }) => id)) yield [storedWorkerSchema.write(worker)];
  for (const task of sortedValues(state.tasks, ({ id }) => id)) yield [taskSchema.write(task)];
  for (const tenant of tenants) yield [storedTenantSchema.write(tenant)];
  for (const pool of sortedValues(state.pools, ({ spec }) => spec.name)) yield [storedPoolSchema.write(pool)];
}

/** Of tables that stay small beside the VMs. */
function sortedValues<K, V>(table: Table<K, V>, keyOf: (value: V) => string | number): V[] {
  return tableValues(table).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function withLength(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length);
  framed.set(bytes, 4);
  return framed;
}

/** Moves the first `count` bytes of `pending` into a chunk of their own. */
function takeBytes(pending: Uint8Array[], count: number): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(count);
  let filled = 0;
  let whole = 0;
  for (const part of pending) {
    const room = count - filled;
    if (part.length > room) {
      chunk.set(part.subarray(0, room), filled);
      pending[whole] = part.subarray(room);
      break;
    }
    chunk.set(part, filled);
    filled += part.length;
    whole++;
  }
  pending.splice(0, whole);
  return chunk;
}
