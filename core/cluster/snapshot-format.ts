/**
 * The snapshot format, version 1: a stream of items, each a big-endian 32-bit length and that many bytes of MessagePack, cut into chunks anywhere.
 *
 *     header    ["blixard-cluster", 1, appliedIndex, timeMs, vmCount, sessionCount]
 *     VMs       by bucket (hash.ts), then by name
 *     sessions  by bucket, then by id
 *
 * Equal states have equal bytes for one chunk size, however they came about. What follows from the rest is not in it.
 */
import { array, choice, integer, label, list, text, tuple } from "./fields.ts";
import { InvalidField } from "./invalid.ts";
import { LIMITS } from "./limits.ts";
import type { VmResult } from "./result.ts";
import type { Session, StoredResponse } from "./session.ts";
import type { ClusterState } from "./state.ts";
import { DESIRED_STATES, VM_STATES, type VmRecord } from "./vm-record.ts";
import { vmSpecFromArray, vmSpecToArray } from "./vm-spec-codec.ts";

const MAGIC = "blixard-cluster";
const VERSION = 1;

export type SnapshotHeader = Pick<ClusterState, "appliedIndex" | "timeMs" | "vmCount" | "sessionCount">;

export function headerToArray(state: SnapshotHeader): readonly unknown[] {
  return [MAGIC, VERSION, state.appliedIndex, state.timeMs, state.vmCount, state.sessionCount];
}

export function headerFromArray(value: unknown): SnapshotHeader {
  const parts = array(value, "header");
  if (parts[0] !== MAGIC) throw new InvalidField("header", null, "is not that of a cluster snapshot");
  if (parts[1] !== VERSION) throw new InvalidField("header.version", VERSION, `must be ${VERSION}`);
  tuple(parts, "header", 6);
  return {
    appliedIndex: integer(parts[2], "header.appliedIndex", 0, Number.MAX_SAFE_INTEGER),
    timeMs: integer(parts[3], "header.timeMs", 0, LIMITS.wallMs),
    vmCount: integer(parts[4], "header.vmCount", 0, LIMITS.vms),
    sessionCount: integer(parts[5], "header.sessionCount", 0, LIMITS.sessions),
  };
}

export function vmToArray(vm: VmRecord): readonly unknown[] {
  return [
    vm.name,
    vmSpecToArray(vm.spec),
    VM_STATES.indexOf(vm.state),
    DESIRED_STATES.indexOf(vm.desired),
    vm.generation,
    vm.epoch,
    vm.createdIndex,
    vm.updatedIndex,
    vm.createdAtMs,
    vm.updatedAtMs,
  ];
}

export function vmFromArray(value: unknown, field: string, header: SnapshotHeader): VmRecord {
  const parts = tuple(value, field, 10);
  const spec = vmSpecFromArray(parts[1], `${field}.spec`);
  const updatedIndex = integer(parts[7], `${field}.updatedIndex`, 1, header.appliedIndex);
  const updatedAtMs = integer(parts[9], `${field}.updatedAtMs`, 0, header.timeMs);
  return Object.freeze({
    name: label(parts[0], `${field}.name`),
    tenant: spec.tenant,
    spec,
    state: choice(parts[2], `${field}.state`, VM_STATES),
    desired: choice(parts[3], `${field}.desired`, DESIRED_STATES),
    generation: integer(parts[4], `${field}.generation`, 1, Number.MAX_SAFE_INTEGER),
    epoch: integer(parts[5], `${field}.epoch`, 0, Number.MAX_SAFE_INTEGER),
    createdIndex: integer(parts[6], `${field}.createdIndex`, 1, updatedIndex),
    updatedIndex,
    createdAtMs: integer(parts[8], `${field}.createdAtMs`, 0, updatedAtMs),
    updatedAtMs,
  });
}

export function sessionToArray(session: Session): readonly unknown[] {
  return [
    session.id,
    session.clientToken,
    session.lastActiveIndex,
    session.lowestUnacknowledged,
    session.responses.map(({ sequence, result }) => [sequence, resultToArray(result)]),
  ];
}

export function sessionFromArray(value: unknown, field: string, header: SnapshotHeader): Session {
  const parts = tuple(value, field, 5);
  const lastActiveIndex = integer(parts[2], `${field}.lastActiveIndex`, 1, header.appliedIndex);
  const lowestUnacknowledged = integer(parts[3], `${field}.lowestUnacknowledged`, 1, Number.MAX_SAFE_INTEGER);
  const responses = list(parts[4], `${field}.responses`, LIMITS.outstandingRequests, responseFromArray);
  let lowest = lowestUnacknowledged;
  const highest = lowestUnacknowledged + LIMITS.outstandingRequests - 1;
  for (const { sequence } of responses) lowest = integer(sequence, `${field}.responses.sequence`, lowest, highest) + 1;
  return Object.freeze({
    id: integer(parts[0], `${field}.id`, 1, lastActiveIndex),
    clientToken: text(parts[1], `${field}.clientToken`, 1, LIMITS.clientTokenLength),
    lastActiveIndex,
    lowestUnacknowledged,
    responses,
  });
}

function responseFromArray(value: unknown, field: string): StoredResponse {
  const parts = tuple(value, field, 2);
  return Object.freeze({
    sequence: integer(parts[0], `${field}.sequence`, 1, Number.MAX_SAFE_INTEGER),
    result: resultFromArray(parts[1], `${field}.result`),
  });
}

const RESULT_KINDS = [
  "vmCreated",
  "vmUpdated",
  "vmDeleted",
  "vmExists",
  "vmNotFound",
  "generationMismatch",
  "limitReached",
] as const;

function resultToArray(result: VmResult): readonly unknown[] {
  if (result.ok) return [RESULT_KINDS.indexOf(result.kind), result.generation];
  const { refusal } = result;
  const kind = RESULT_KINDS.indexOf(refusal.kind);
  switch (refusal.kind) {
    case "vmExists":
    case "vmNotFound":
      return [kind];
    case "generationMismatch":
      return [kind, refusal.expected, refusal.actual];
    case "limitReached":
      return [kind, refusal.maximum];
  }
}

function resultFromArray(value: unknown, field: string): VmResult {
  const kind = choice(array(value, field)[0], `${field}.kind`, RESULT_KINDS);
  switch (kind) {
    case "vmCreated":
    case "vmUpdated":
    case "vmDeleted":
      return Object.freeze({ ok: true, kind, generation: positive(tuple(value, field, 2)[1], `${field}.generation`) });
    case "vmExists":
    case "vmNotFound":
      tuple(value, field, 1);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind }) });
    case "generationMismatch": {
      const parts = tuple(value, field, 3);
      const expected = positive(parts[1], `${field}.expected`);
      const actual = positive(parts[2], `${field}.actual`);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind, expected, actual }) });
    }
    case "limitReached": {
      const maximum = positive(tuple(value, field, 2)[1], `${field}.maximum`);
      return Object.freeze({ ok: false, refusal: Object.freeze({ kind, limit: "vms", maximum }) });
    }
  }
}

function positive(value: unknown, field: string): number {
  return integer(value, field, 1, Number.MAX_SAFE_INTEGER);
}
