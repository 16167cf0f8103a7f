/** Bugs of what a cluster tells those who ask about its fleet. */
import type { Plant } from "./planted-bugs.ts";

export const ANSWER_PLANTS: readonly Plant[] = [
  {
    name: "page-ends-where-the-next-begins",
    scenario: "host-loss",
    file: "core/cluster/query.ts",
    edits: [
      {
        find: "nextAfterName: found.length > pageSize ? (vms.at(-1)?.name ?? null) : null",
        replace: "nextAfterName: found.length > pageSize ? (found.at(-1)?.name ?? null) : null",
      },
    ],
  },
  {
    name: "worker-tells-of-what-runs-only",
    scenario: "host-loss",
    file: "core/cluster/query.ts",
    edits: [
      {
        find: "const vms = (worker?.vms ?? []).flatMap((name) => vmOf(state, name) ?? []);",
        replace:
          'const vms = (worker?.vms ?? []).flatMap((name) => vmOf(state, name) ?? []).filter((vm) => vm.state === "Running");',
      },
    ],
  },
  {
    name: "page-of-events-torn",
    scenario: "host-loss",
    file: "core/cluster/events.ts",
    edits: [
      {
        find: "if (events.length >= size && event.index !== events.at(-1)?.index) break;",
        replace: "if (events.length >= size) break;",
      },
    ],
  },
  {
    name: "fleet-read-before-applied",
    scenario: ["fleet-swarm", "split-brain-vm"],
    file: "core/node/client-reads.ts",
    edits: [
      {
        find: "} else if (index <= this.#replica.appliedIndex) {",
        replace: "} else if (index <= this.#replica.appliedIndex + 1) {",
      },
    ],
  },
];
