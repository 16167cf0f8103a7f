/**
 * What stands at a limit of lengths and sizes, which the cluster takes, and what is one beyond it, which no node takes:
 * names, lists, texts, numbers, and whole requests.
 *
 * These limits are part of the formats, so they are not lowered by the seed: requests go up to them.
 */
import { CLUSTER_LIMITS, type Command, type CommandRequest, encodeRequest, type VmSpec } from "../../../core/index.ts";
import { type Aim, type Draft, write } from "./aim.ts";
import { SPEC } from "./tasks.ts";
import { createToken } from "./tokens.ts";
import { freshSpec } from "./vms.ts";

/** Numbers in it: digits end names, and names of one kind differ in them. */
function nameOf(length: number, number = 1): string {
  return `${"x".repeat(length - 1)}${number}`;
}

function namesOf(count: number, length: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${"x".repeat(length - 3)}${100 + at}`);
}

type VmWrite = Extract<Command, { readonly kind: "createVm" | "updateVm" }>;

/** As one of the names that clients share, unless the name is what is long. */
function vm(draft: Draft, fields: Partial<VmSpec>, metadata: VmSpec["metadata"] = {}, name?: string): VmWrite {
  const asked = name ?? draft.rng.pick(draft.names);
  const spec = freshSpec(draft, fields);
  const all = { ...spec, metadata: { ...metadata, ...spec.metadata } };
  const known = draft.belief.vms.get(asked);
  if (known === undefined) return { kind: "createVm", name: asked, spec: all };
  return { kind: "updateVm", name: asked, expectedGeneration: known.generation, spec: all };
}

const antiAffinity = (group: string): VmSpec["antiAffinity"][number] => ({
  group,
  softWeight: 1,
  maxPerDomain: 1,
  scope: "node",
});

const {
  labelLength,
  listLength,
  metadataPairs,
  metadataKeyLength,
  metadataValueLength,
  tokenIdLength,
  tokenTtlMs,
  taskIdLength,
  taskArgs,
  taskArgLength,
  peerIdLength,
  addresses,
  addressLength,
} = CLUSTER_LIMITS;

/** Somebody who is no member, and nobody else's id. */
const LONG_GUEST = 1_000_500;

/** Each makes a request that is at one limit, and that much `beyond` it. */
const EDGES: readonly ((draft: Draft, beyond: 0 | 1) => Command)[] = [
  (draft, beyond) => vm(draft, {}, {}, nameOf(labelLength + beyond)),
  (draft, beyond) => vm(draft, { tenant: nameOf(labelLength + beyond) }),
  (draft, beyond) => vm(draft, { features: namesOf(listLength + beyond, 8) }),
  (draft, beyond) => vm(draft, { antiAffinity: namesOf(listLength + beyond, 8).map(antiAffinity) }),
  (draft, beyond) => vm(draft, { antiAffinity: [antiAffinity(nameOf(labelLength + beyond))] }),
  // The value by which writes are told apart is one of the pairs.
  (draft, beyond) => vm(draft, {}, Object.fromEntries(namesOf(metadataPairs - 1 + beyond, 4).map((key) => [key, ""]))),
  (draft, beyond) => vm(draft, {}, { [nameOf(metadataKeyLength + beyond)]: "" }),
  (draft, beyond) => vm(draft, {}, { long: "x".repeat(metadataValueLength + beyond) }),
  (draft, beyond) => vm(draft, { vcpus: CLUSTER_LIMITS.vcpus + beyond }),
  (draft, beyond) => vm(draft, { memoryMiB: CLUSTER_LIMITS.memoryMiB + beyond }),
  (draft, beyond) => vm(draft, { diskGiB: CLUSTER_LIMITS.diskGiB + beyond }),
  (draft, beyond) => vm(draft, { priority: CLUSTER_LIMITS.priority + beyond }),
  (draft, beyond) => createToken(draft, { id: String(draft.next()).padStart(tokenIdLength + beyond, "0") }),
  (draft, beyond) => createToken(draft, { ttlMs: tokenTtlMs + beyond }),
  (_, beyond) => ({ kind: "submitTask", id: nameOf(taskIdLength + beyond), spec: SPEC }),
  ({ rng }, beyond) => ({
    kind: "submitTask",
    id: nameOf(taskIdLength, rng.integer(2, 9)),
    spec: { ...SPEC, args: namesOf(taskArgs + beyond, 4) },
  }),
  ({ rng }, beyond) => ({
    kind: "submitTask",
    id: nameOf(taskIdLength, rng.integer(2, 9)),
    spec: { ...SPEC, args: ["x".repeat(taskArgLength + beyond)] },
  }),
  (_, beyond) => ({
    kind: "announceNode",
    nodeId: LONG_GUEST,
    peerId: nameOf(peerIdLength + beyond),
    addresses: ["10.9.2.1:7000"],
  }),
  (_, beyond) => ({
    kind: "announceNode",
    nodeId: LONG_GUEST + 1,
    peerId: `guest-${LONG_GUEST + 1}`,
    addresses: namesOf(addresses + beyond, 16),
  }),
  (_, beyond) => ({
    kind: "announceNode",
    nodeId: LONG_GUEST + 2,
    peerId: `guest-${LONG_GUEST + 2}`,
    addresses: [nameOf(addressLength + beyond)],
  }),
];

/** What surrounds a command in a request, at its largest: the session, and the name of who asks. */
const WIDEST: Omit<CommandRequest, "command"> = {
  session: { id: 2 ** 40, sequence: 2 ** 40, lowestUnacknowledged: 2 ** 40 - 1 },
  actor: "x".repeat(CLUSTER_LIMITS.actorLength),
};
const NARROWEST: Omit<CommandRequest, "command"> = { session: null };
/** Of the limit, so much may be left, since lengths have lengths. */
const BYTES_TO_SPARE = 8;

/** Long enough that as many as there may be fill the largest request. */
const FILLING = "f".repeat(32);

/** A VM whose request has that many bytes, or hardly less; null: no VM can. */
function filled(draft: Draft, around: Omit<CommandRequest, "command">, bytes: number): Command | null {
  const pairs = (values: readonly number[]): VmSpec["metadata"] =>
    Object.fromEntries(values.map((length, at) => [`${FILLING}-${at}`, "x".repeat(length)]));
  const sizeOf = (command: Command): number => encodeRequest({ ...around, command }).length;
  const base = vm(draft, {});
  const withPairs = (values: readonly number[]): Command => ({
    ...base,
    spec: { ...base.spec, metadata: { ...base.spec.metadata, ...pairs(values) } },
  });
  const plain = sizeOf(base);
  const perPair = sizeOf(withPairs([metadataValueLength])) - plain;
  const whole = Math.floor((bytes - plain - BYTES_TO_SPARE) / (perPair + 1));
  if (whole < 0 || whole > metadataPairs - 2) return null;
  const full = Array.from({ length: whole }, () => metadataValueLength);
  const left = bytes - sizeOf(withPairs([...full, 0])) - BYTES_TO_SPARE;
  return withPairs([...full, Math.max(0, Math.min(metadataValueLength, left))]);
}

export const limitAims: readonly Aim[] = [
  write("ok", 6, (draft) => draft.rng.pick(EDGES)(draft, 0)),
  write("invalidRequest", 3, (draft) => draft.rng.pick(EDGES)(draft, 1)),
  write("ok", 1, (draft) => filled(draft, WIDEST, Math.min(draft.requestBytesMax, CLUSTER_LIMITS.requestBytes))),
  // Too large by a little, for who asks without a session too.
  write("requestTooLarge", 1, (draft) =>
    draft.requestBytesMax + 4 * BYTES_TO_SPARE > CLUSTER_LIMITS.requestBytes
      ? null
      : filled(draft, NARROWEST, draft.requestBytesMax + 2 * BYTES_TO_SPARE),
  ),
];

/** For tests: what stands at each limit, and what is one beyond it. */
export function edgesOf(draft: Draft): readonly (readonly [within: Command, beyond: Command])[] {
  return EDGES.map((edge) => [edge(draft, 0), edge(draft, 1)]);
}
