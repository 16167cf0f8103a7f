/** Single parts of the core, by tinybench: the wire format, the state machine, the log. */
import { Bench } from "tinybench";
import {
  type Append,
  applyEntries,
  type ClusterState,
  decodeMessage,
  emptyState,
  encodeMessage,
  encodeRequest,
  type Heartbeat,
  stampRequest,
  vmSpec,
} from "../core/index.ts";

const header = { clusterId: "bench", incarnation: 1, from: 1, to: 2, term: 7 } as const;

const heartbeat: Heartbeat = { type: "heartbeat", ...header, commit: 1_000_000, round: 12_345 };

const append: Append = {
  type: "append",
  ...header,
  prevIndex: 1_000_000,
  prevTerm: 7,
  prevChain: "a".repeat(44),
  entries: [{ index: 1_000_001, term: 7, kind: "command", data: new Uint8Array(200), chain: "b".repeat(44) }],
  commit: 999_990,
  certificate: null,
};

function created(name: string): Uint8Array {
  const request = encodeRequest({ session: null, command: { kind: "createVm", name, spec: vmSpec({}) } });
  return stampRequest(request, { wallMs: 0, proposer: 1 });
}

function stateOf(vms: number): ClusterState {
  const entries = Array.from({ length: vms }, (_, at) => ({ index: at + 1, term: 1, data: created(`vm-${at}`) }));
  return applyEntries(emptyState(), entries).state;
}

export async function parts(): Promise<void> {
  const bench = new Bench({ time: 500 });
  for (const message of [heartbeat, append]) {
    const bytes = encodeMessage(message);
    bench.add(`encode ${message.type}, ${bytes.length} B`, () => void encodeMessage(message));
    bench.add(`decode ${message.type}, ${bytes.length} B`, () => void decodeMessage(bytes));
  }
  for (const vms of [100, 10_000, 100_000]) {
    const state = stateOf(vms);
    const entry = { index: vms + 1, term: 1, data: created("one-more") };
    bench.add(`apply one create among ${vms.toLocaleString("en")} VMs`, () => void applyEntries(state, [entry]));
  }
  await bench.run();
  console.table(bench.table());
}
