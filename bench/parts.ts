/** Single parts of the core, by tinybench: the wire format. */
import { Bench } from "tinybench";
import { type Append, decodeMessage, encodeMessage, type Heartbeat } from "../core/index.ts";

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

export async function parts(): Promise<void> {
  const bench = new Bench({ time: 500 });
  for (const message of [heartbeat, append]) {
    const bytes = encodeMessage(message);
    bench.add(`encode ${message.type}, ${bytes.length} B`, () => void encodeMessage(message));
    bench.add(`decode ${message.type}, ${bytes.length} B`, () => void decodeMessage(bytes));
  }
  await bench.run();
  console.table(bench.table());
}
