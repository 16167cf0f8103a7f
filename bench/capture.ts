/** What it costs to capture a node as a value, to turn that into bytes and back, and to restore a node from it. */
import { DEFAULT_RAFT_OPTIONS, decodeNodeState, encodeNodeState, Node, type Runtime } from "../core/index.ts";
import { Cluster } from "../core/testing/index.ts";
import { median } from "./figures.ts";
import { filledFleet } from "./fleet.ts";

const REPEATS = 21;
const SMALL_VMS = 20;
const FLEETS: readonly (readonly [workers: number, vms: number])[] = [
  [100, 1000],
  [1000, 20_000],
];

const RUNTIME: Omit<Runtime, "peerId"> = {
  randomUint32: () => 1,
  sign: () => "signature",
  verify: () => true,
  digest: () => "digest",
};

function medianUs(work: () => void): number {
  const times = Array.from({ length: REPEATS }, () => {
    const beganMs = performance.now();
    work();
    return (performance.now() - beganMs) * 1000;
  });
  return median(times);
}

function print(what: string, node: Node): void {
  const runtime = { ...RUNTIME, peerId: `peer-${node.id}` };
  const state = node.capture();
  const bytes = encodeNodeState(state);
  const figures = [
    bytes.length,
    medianUs(() => node.capture()),
    medianUs(() => encodeNodeState(state)),
    medianUs(() => decodeNodeState(bytes)),
    medianUs(() => Node.restore(state, DEFAULT_RAFT_OPTIONS, runtime)),
  ];
  console.log(what.padEnd(40) + figures.map((one) => Math.round(one).toLocaleString("en").padStart(12)).join(""));
}

export function capture(): void {
  console.log("one node as a value                            bytes  capture µs   encode µs   decode µs  restore µs");
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  for (let at = 0; at < SMALL_VMS; at++) cluster.propose(1, `vm-${at}`);
  cluster.run(1000);
  print(`follower of three, ${SMALL_VMS} VMs`, cluster.node(2));
  print(`leader of three, ${SMALL_VMS} VMs`, cluster.node(1));
  for (const [workers, vms] of FLEETS) {
    const { leader } = filledFleet(workers, vms);
    print(`leader, ${workers.toLocaleString("en")} workers, ${vms.toLocaleString("en")} VMs`, leader.node);
  }
  console.log("");
}
