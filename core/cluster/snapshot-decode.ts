import {
  CLUSTER_LIMITS,
  type ClusterEvent,
  type CountLimits,
  DEFAULT_COUNT_LIMITS,
  demandAtMost,
  type NodeRecord,
  nodeSchema,
  restoredSession,
  restoredVm,
  type Session,
  storedPoolSchema,
  storedSessionSchema,
  storedTenantSchema,
  storedVmSchema,
  storedWorkerSchema,
  type TokenRecord,
  taskSchema,
  tokenSchema,
  type VmRecord,
} from "../domain/index.ts";
import { type Codec, decoded, InvalidField } from "../schema/index.ts";
import { keptEvents, restoredEvents } from "./events.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import { InvalidSnapshot } from "./invalid.ts";
import { unpack } from "./msgpack.ts";
import { rebuildIndexes } from "./rebuild-indexes.ts";
import { headerFromArray, type Singles, singlesSchema, storedEventSchema } from "./snapshot-format.ts";
import { type ClusterState, emptyState } from "./state.ts";
import { bucketOf, tableOf } from "./table.ts";

/**
 * The state that `encodeSnapshot` made the chunks of, wherever they were cut, in a cluster with these limits. Every
 * field, limit and count is checked, and the order too.
 *
 * @throws InvalidSnapshot, and nothing else, whatever the bytes are.
 */
export function decodeSnapshot(chunks: Iterable<Uint8Array>, limits: CountLimits = DEFAULT_COUNT_LIMITS): ClusterState {
  try {
    return decode(new ItemReader(chunks), limits);
  } catch (error) {
    if (error instanceof InvalidField) throw new InvalidSnapshot(error.field, error.limit, error.message);
    throw error;
  }
}

function decode(items: ItemReader, limits: CountLimits): ClusterState {
  const header = headerFromArray(items.next("header"));
  const { version } = header;
  const demandPast = (index: number, atMs: number, field: string, indexName: string, timeName: string): void => {
    demandAtMost(header.appliedIndex, index, `${field}.${indexName}`);
    demandAtMost(header.timeMs, atMs, `${field}.${timeName}`);
  };
  const single = singlesFrom(items, header.version);

  const vms: [string, VmRecord][] = [];
  let lastBucket = 0;
  let lastName = "";
  for (let i = 0; i < header.vmCount; i++) {
    const field = `vms[${i}]`;
    const vm = restoredVm(decoded(storedVmSchema, items.next(field), field, version));
    demandPast(vm.updatedIndex, vm.updatedAtMs, field, "updatedIndex", "updatedAtMs");
    const bucket = bucketOf(hashOfText(vm.name));
    demandOrder(field, bucket - lastBucket, vm.name > lastName);
    lastBucket = bucket;
    lastName = vm.name;
    vms.push([vm.name, vm]);
  }

  const sessions: [number, Session][] = [];
  const sessionIds = new Map<string, number>();
  const activity = new Set<number>();
  lastBucket = 0;
  let lastId = 0;
  for (let i = 0; i < header.sessionCount; i++) {
    const field = `sessions[${i}]`;
    const session = restoredSession(decoded(storedSessionSchema, items.next(field), field, version));
    demandAtMost(header.appliedIndex, session.lastActiveIndex, `${field}.lastActiveIndex`);
    const bucket = bucketOf(hashOfIndex(session.id));
    demandOrder(field, bucket - lastBucket, session.id > lastId);
    lastBucket = bucket;
    lastId = session.id;
    sessions.push([session.id, session]);
    sessionIds.set(session.clientToken, session.id);
    activity.add(session.lastActiveIndex);
  }
  if (sessionIds.size !== sessions.length)
    throw new InvalidField("sessions.clientToken", null, "must differ from session to session");
  // One entry names one session at most. Expiry rests on it.
  if (activity.size !== sessions.length)
    throw new InvalidField("sessions.lastActiveIndex", null, "must differ from session to session");

  const tokens = new Map<string, TokenRecord>();
  let lastToken = "";
  for (let i = 0; i < header.tokenCount; i++) {
    const field = `tokens[${i}]`;
    const token = decoded(tokenSchema, items.next(field), field, version);
    demandAtMost(
      header.timeMs,
      token.revokedAtMs ?? token.createdAtMs,
      `${field}.${token.revokedAtMs === null ? "createdAtMs" : "revokedAtMs"}`,
    );
    demandOrder(field, 0, token.id > lastToken);
    lastToken = token.id;
    tokens.set(token.id, token);
  }

  const nodes: [number, NodeRecord][] = [];
  const peerIds = new Map<string, number>();
  let lastNode = 0;
  for (let i = 0; i < header.nodeCount; i++) {
    const field = `nodes[${i}]`;
    const node = decoded(nodeSchema, items.next(field), field, version);
    demandOrder(field, 0, node.id > lastNode);
    lastNode = node.id;
    nodes.push([node.id, node]);
    peerIds.set(node.peerId, node.id);
  }
  if (peerIds.size !== nodes.length) throw new InvalidField("nodes.peerId", null, "must differ from node to node");

  const events: ClusterEvent[] = [];
  const eventCount = keptEvents(header.eventTotal, limits.events);
  let lastIndex = 0;
  for (let i = 0; i < eventCount; i++) {
    const field = `events[${i}]`;
    const event = decoded(storedEventSchema, items.next(field), field, version);
    // An entry may have several.
    demandOrder(field, 0, event.index >= lastIndex);
    demandPast(event.index, event.atMs, field, "index", "atMs");
    lastIndex = event.index;
    events.push(event);
  }

  const workers = readAll(items, "workers", single.workerCount, storedWorkerSchema, ({ id }) => id);
  const tasks = readAll(items, "tasks", single.taskCount, taskSchema, ({ id }) => id);
  const tenants = readAll(items, "tenants", single.limitedTenantCount, storedTenantSchema, ({ name }) => name);
  const pools = readAll(items, "pools", single.poolCount, storedPoolSchema, ({ spec }) => spec.name);
  items.end();
  const indexes = rebuildIndexes({ vms: vms.map(([, vm]) => vm), tasks, workers, tenants, pools });
  const { limitedTenantCount: _, ...singleFields } = single;
  const { appliedIndex, timeMs, vmCount, sessionCount, eventTotal } = header;
  return {
    ...emptyState(),
    ...singleFields,
    limits,
    ...indexes,
    tasks: tableOf(
      hashOfText,
      tasks.map((task) => [task.id, task]),
    ),
    appliedIndex,
    timeMs,
    vmCount,
    sessionCount,
    tokens,
    nodes: tableOf(hashOfIndex, nodes),
    peerIds: tableOf(hashOfText, peerIds),
    nodeCount: nodes.length,
    events: restoredEvents(eventTotal, events),
    vms: tableOf(hashOfText, vms),
    sessions: tableOf(hashOfIndex, sessions),
    sessionIds: tableOf(hashOfText, sessionIds),
  };
}

/** Of a state in which there were no workers. */
const NO_SINGLES: Singles = { ...emptyState(), limitedTenantCount: 0 };

function singlesFrom(items: ItemReader, version: number): Singles {
  return version < 3 ? NO_SINGLES : decoded(singlesSchema, one(items.next("singles"), "singles"), "singles", version);
}

function one(value: unknown, field: string): unknown {
  if (!Array.isArray(value)) throw new InvalidField(field, null, "must be a list");
  if (value.length !== 1) throw new InvalidField(field, 1, "must have 1 parts");
  return value[0];
}

function readAll<T>(
  items: ItemReader,
  name: string,
  count: number,
  schema: Codec<T>,
  keyOf: (item: T) => string | number,
): readonly T[] {
  const read: T[] = [];
  let last: string | number | null = null;
  for (let i = 0; i < count; i++) {
    const field = `${name}[${i}]`;
    const item = decoded(schema, one(items.next(field), field), field);
    const key = keyOf(item);
    demandOrder(field, 0, last === null || key > last);
    last = key;
    read.push(item);
  }
  return read;
}

/** By bucket, then by key, nothing twice. */
function demandOrder(field: string, bucketStep: number, keyRises: boolean): void {
  if (bucketStep < 0 || (bucketStep === 0 && !keyRises)) throw new InvalidField(field, null, "is out of order");
}

/** Takes items from chunks, wherever those were cut. Never holds more than a chunk and an item. */
class ItemReader {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  next(field: string): unknown {
    const prefix = this.#take(4, field);
    const length = new DataView(prefix.buffer, prefix.byteOffset, 4).getUint32(0);
    if (length > CLUSTER_LIMITS.snapshotItemBytes)
      throw new InvalidField(
        field,
        CLUSTER_LIMITS.snapshotItemBytes,
        `must have at most ${CLUSTER_LIMITS.snapshotItemBytes} bytes`,
      );
    return unpack(this.#take(length, field), field);
  }

  end(): void {
    if (this.#fill()) throw new InvalidField("snapshot", null, "must end with its last item");
  }

  /** Whether there is a byte left to take. */
  #fill(): boolean {
    while (this.#position === this.#chunk.length) {
      const next = this.#chunks.next();
      if (next.done === true) return false;
      this.#chunk = next.value;
      this.#position = 0;
    }
    return true;
  }

  #take(count: number, field: string): Uint8Array {
    if (this.#chunk.length - this.#position >= count) {
      const bytes = this.#chunk.subarray(this.#position, this.#position + count);
      this.#position += count;
      return bytes;
    }
    const gathered = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (!this.#fill()) throw new InvalidField(field, null, "is cut off");
      const part = this.#chunk.subarray(this.#position, this.#position + count - filled);
      gathered.set(part, filled);
      filled += part.length;
      this.#position += part.length;
    }
    return gathered;
  }
}
