/** Bugs that orchestrators have had, or nearly had, as edits to the core: workers, placement, leases, states of VMs. */
import type { Plant } from "./planted-bugs.ts";

export const ORCHESTRATION_PLANTS: readonly Plant[] = [
  {
    name: "creating-reserves-nothing",
    scenario: "preemption-storm",
    file: "core/cluster/derived-indexes.ts",
    edits: [
      {
        find: "before.placed === after.placed;",
        replace: "before.placed === after.placed && before.state === after.state;",
      },
      {
        find: 'used: changed(worker.used, heldBy(vm), sign, "worker", workerId),',
        replace: `used:
        vm.state === "Scheduled" || vm.state === "Building" || vm.state === "Starting"
          ? worker.used
          : changed(worker.used, heldBy(vm), sign, "worker", workerId),`,
      },
    ],
  },
  {
    name: "leaving-reserves-nothing",
    scenario: "preemption-storm",
    file: "core/cluster/derived-indexes.ts",
    edits: [
      {
        find: "before.placed === after.placed;",
        replace: "before.placed === after.placed && before.eviction === after.eviction;",
      },
      {
        find: 'used: changed(worker.used, heldBy(vm), sign, "worker", workerId),',
        replace:
          'used: vm.eviction !== null ? worker.used : changed(worker.used, heldBy(vm), sign, "worker", workerId),',
      },
    ],
  },
  {
    name: "room-not-looked-at-again",
    scenario: "preemption-storm",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: `      if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      moved(batch, vm, {
        state: "Scheduled",`,
        replace: `      if (refusal !== null && refusal.kind !== "insufficient")
        return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      moved(batch, vm, {
        state: "Scheduled",`,
      },
    ],
  },
  {
    name: "anti-affinity-on-old-state",
    scenario: "host-loss",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: `      if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      moved(batch, vm, {
        state: "Scheduled",`,
        replace: `      if (refusal !== null && refusal.kind !== "antiAffinity")
        return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      moved(batch, vm, {
        state: "Scheduled",`,
      },
    ],
  },
  {
    name: "quota-ignored-by-growth",
    scenario: "noisy-neighbour-quotas",
    file: "core/cluster/vm-commands.ts",
    edits: [
      {
        find: ": quotaRefusal(batch, spec.tenant, 0, growth(resourcesOf(vm.spec), resourcesOf(spec)));",
        replace: ": null;",
      },
    ],
  },
  {
    name: "epoch-ignored",
    scenario: "split-brain-vm",
    file: "core/agent/machines.ts",
    edits: [{ find: "} else if (machine.epoch < epoch) {", replace: "} else if (machine.epoch > epoch) {" }],
  },
  {
    name: "observed-in-any-epoch",
    scenario: "host-loss",
    file: "core/orchestrator/observations.ts",
    edits: [{ find: "if (machine.epoch !== epoch) {", replace: "if (machine.epoch > epoch) {" }],
  },
  {
    name: "epoch-not-raised",
    scenario: "host-loss",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: "targetId: null,\n        epoch: batch.appliedIndex,",
        replace: "targetId: null,\n        epoch: vm.epoch === 0 ? batch.appliedIndex : vm.epoch,",
      },
    ],
  },
  {
    name: "every-node-runs-every-vm",
    scenario: "host-loss",
    file: "core/orchestrator/assignment.ts",
    edits: [
      {
        find: "taskOf, vmOf }",
        replace: "tableValues, taskOf, vmOf }",
      },
      {
        find: "const vms = worker.vms.flatMap((name) => {",
        replace: "const vms = tableValues(state.vms).flatMap(({ name }) => {",
      },
      {
        find: `if (vm?.workerId !== workerId || intentOf(vm) !== "run"`,
        replace: `if (vm === null || intentOf(vm) !== "run"`,
      },
    ],
  },
  {
    name: "starts-without-lease",
    scenario: "split-brain-vm",
    file: "core/agent/agent.ts",
    edits: [
      {
        find: "this.#step.nowMs < this.#leaseUntilMs - LEASE_MARGIN_MS;",
        replace: "this.#leaseUntilMs > Number.NEGATIVE_INFINITY;",
      },
    ],
  },
  {
    name: "fence-not-set",
    scenario: "split-brain-vm",
    file: "core/agent/agent.ts",
    edits: [
      {
        find: `this.#step.act({ kind: "fenceAt", atMs: untilMs });`,
        replace: "",
      },
    ],
  },
  {
    name: "lease-from-answer",
    scenario: "split-brain-vm",
    file: "core/agent/agent.ts",
    edits: [
      {
        find: "const untilMs = this.#channel.sentAtMs + leaseTtlMs;",
        replace: "const untilMs = this.#step.nowMs + leaseTtlMs;",
      },
    ],
  },
  {
    name: "lease-not-waited-for",
    scenario: "split-brain-vm",
    file: "core/agent/lease.ts",
    edits: [
      {
        find: "return Math.ceil((LEASE_TTL_MS + FENCE_GRACE_MS)",
        replace: "return Math.ceil((LEASE_TTL_MS - FENCE_GRACE_MS)",
      },
    ],
  },
  {
    name: "lease-on-wall-clock",
    scenario: "split-brain-vm",
    file: "core/node/worker-reports.ts",
    edits: [
      {
        find: "this.#orchestrator.hear(report, this.#raft.nowMs);",
        replace: "this.#orchestrator.hear(report, this.#raft.wallMs);",
      },
      {
        find: "this.#orchestrator?.directive(report, servers, this.#raft.nowMs)",
        replace: "this.#orchestrator?.directive(report, servers, this.#raft.wallMs)",
      },
      {
        find: "this.#orchestrator?.applied(state, touched, this.#raft.nowMs);",
        replace: "this.#orchestrator?.applied(state, touched, this.#raft.wallMs);",
      },
      {
        find: "new Orchestrator(this.#options.clockDriftBound, state, raft.nowMs);",
        replace: "new Orchestrator(this.#options.clockDriftBound, state, raft.wallMs);",
      },
      { find: "this.#orchestrator.step(raft.nowMs)", replace: "this.#orchestrator.step(raft.wallMs)" },
      {
        find: "atMs = this.#orchestrator.deadlineMs;",
        replace: "atMs = this.#orchestrator.deadlineMs - this.#raft.wallMs + this.#raft.nowMs;",
      },
    ],
  },
  {
    name: "new-leader-knows-no-leases",
    scenario: "split-brain-vm",
    file: "core/orchestrator/worker-leases.ts",
    edits: [
      {
        find: "else if (!this.#ends.has(id)) this.#ends.set(id, nowMs + this.#waitMs);",
        replace: "else if (!this.#ends.has(id)) this.#ends.set(id, nowMs + 1000);",
      },
    ],
  },
  {
    name: "gone-by-the-book",
    scenario: "drain-under-fire",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: `    state: vm.state === "Lost" ? "Lost" : "Stopping",
    eviction: cause,`,
        replace: `    ...(cause === "drain" && vm.state === "Running"
      ? { state: "Pending" as const, workerId: null, placed: null, eviction: null }
      : { state: vm.state === "Lost" ? ("Lost" as const) : ("Stopping" as const), eviction: cause }),`,
      },
    ],
  },
  {
    name: "absence-believed-too-early",
    scenario: "preemption-storm",
    file: "core/orchestrator/observations.ts",
    edits: [
      {
        find: "return heard.assignedIndex >= Math.min(worker.assignedIndex, updatedIndex);",
        replace: "return heard.assignedIndex + worker.assignedIndex + updatedIndex >= 0;",
      },
    ],
  },
  {
    name: "deleted-before-gone",
    scenario: "address-exhaustion",
    file: "core/cluster/vm-commands.ts",
    edits: [
      { find: "if (vm.workerId === null) removed(batch, vm);", replace: "if (vm.epoch >= 0) removed(batch, vm);" },
    ],
  },
  {
    name: "address-freed-at-delete",
    scenario: "address-exhaustion",
    file: "core/cluster/vm-commands.ts",
    edits: [
      {
        find: 'moved(batch, vm, { desired: "deleted", state,',
        replace: 'release(batch, vm.addresses);\n    moved(batch, vm, { desired: "deleted", state,',
      },
    ],
  },
  {
    name: "orphans-left",
    scenario: "zombie-vms",
    file: "core/agent/machines.ts",
    edits: [
      {
        find: "for (const machine of this.#shown.values()) if (!wanted.has(machine.name)) this.#endUnwanted(machine, isRemoved);",
        replace: "",
      },
    ],
  },
  {
    name: "removed-while-in-use",
    scenario: "drain-under-fire",
    file: "core/cluster/workers.ts",
    edits: [
      {
        find: '      if (vms.length + tasks.length > 0)\n        return refused({ kind: "workerInUse"',
        replace: '      if (vms.length < 0)\n        return refused({ kind: "workerInUse"',
      },
    ],
  },
  {
    name: "removed-never-told",
    scenario: "zombie-vms",
    file: "core/orchestrator/orchestrator.ts",
    edits: [
      {
        find: 'return nodeOf(this.#state, workerId)?.role === "removed";',
        replace: "return nodeOf(this.#state, workerId) === undefined;",
      },
    ],
  },
  {
    name: "build-awaited-for-ever",
    scenario: "zombie-vms",
    file: "core/agent/machines.ts",
    edits: [
      {
        find: "if (this.#inPhaseForMs(machine) >= this.#settings.buildTimeoutMs) {",
        replace: "if (this.#step.nowMs < 0) {",
      },
    ],
  },
  {
    name: "healing-restarts-neighbours",
    scenario: "health-flapping",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: "  again(batch, { ...vm, restarts: vm.restarts + 1 }, vm, vm.reason);",
        replace: `  again(batch, { ...vm, restarts: vm.restarts + 1 }, vm, vm.reason);
  for (const worker of batch.workers.values()) {
    const neighbour = batch.vm(worker.vms[0] ?? "");
    if (neighbour !== null && neighbour.state === "Running" && neighbour.eviction === null)
      again(batch, neighbour, neighbour, "");
  }`,
      },
    ],
  },
  {
    name: "restart-without-back-off",
    scenario: "health-flapping",
    file: "core/orchestrator/recovery.ts",
    edits: [{ find: "nowMs + backoffMs(vm));", replace: "nowMs + 0 * backoffMs(vm));" }],
  },
  {
    name: "restarted-for-ever",
    scenario: "health-flapping",
    file: "core/orchestrator/recovery.ts",
    edits: [
      {
        find: "if (restarts < spec.recovery.restartsMax) {",
        replace: "if (restarts < spec.recovery.restartsMax + 1000) {",
      },
    ],
  },
  {
    name: "waiting-never-tried-again",
    scenario: "preemption-storm",
    file: "core/orchestrator/waiting-list.ts",
    edits: [{ find: "level.tried.set(key, index);", replace: "level.tried.set(key, index + 1e9);" }],
  },
  {
    name: "old-process-believed",
    scenario: "zombie-vms",
    file: "core/orchestrator/orchestrator.ts",
    edits: [
      {
        find: "const isCurrent = worker?.isOnline === true && worker.bootId === bootId;",
        replace: "const isCurrent = worker?.isOnline === true && bootId > 0;",
      },
    ],
  },
  {
    name: "attempt-run-again",
    scenario: "zombie-vms",
    file: "core/cluster/tasks.ts",
    edits: [
      {
        find: `state: "Running", attempt: task.attempt + 1, workerId`,
        replace: `state: "Running", attempt: Math.max(1, task.attempt), workerId`,
      },
    ],
  },
];
