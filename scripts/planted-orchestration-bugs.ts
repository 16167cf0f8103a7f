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
  {
    name: "run-built-again",
    scenario: "host-loss",
    file: "core/agent/machines.ts",
    edits: [
      {
        find: "if (!isBegun && this.#begun.get(name) !== epoch) this.#build(vm);",
        replace: "this.#build({ ...vm, isBegun });",
      },
    ],
  },
  {
    name: "lease-from-late-answer",
    scenario: "fleet-swarm",
    file: "core/agent/report-channel.ts",
    edits: [
      { find: "if (sequence !== this.#awaited) return null;", replace: "if (sequence > this.#sequence) return null;" },
    ],
  },
  {
    // Of each two halves of the workers only the one whose bound is better is searched.
    name: "better-half-only",
    scenario: ["host-loss", "fleet-swarm"],
    file: "core/scheduler/placement-tree.ts",
    edits: [
      {
        find: `      this.#visitIfWorth(search, left, ofLeft, known);
      this.#visitIfWorth(search, right, ofRight, known);
    } else {`,
        replace: `      this.#visitIfWorth(search, left, ofLeft, known);
    } else {`,
      },
    ],
  },
  {
    // What was in flight about a VM that was deleted meanwhile stays so, with the room that it was promised.
    name: "deleted-vm-stays-in-flight",
    scenario: "hasty-tenants",
    file: "core/orchestrator/orchestrator.ts",
    edits: [
      {
        find: "    const inFlight = this.#proposals.settle(key);",
        replace: `    if (key.startsWith("vm:") && vmOf(this.#state, key.slice(3)) === null) return;
    const inFlight = this.#proposals.settle(key);`,
      },
    ],
  },
  {
    name: "drain-forgets-who-is-leaving",
    scenario: "drain-under-fire",
    file: "core/orchestrator/draining.ts",
    edits: [
      {
        find: "this.#drains.begin(worker.id, () => this.#leaving(state, worker), nowMs);",
        replace: "this.#drains.begin(worker.id, () => [], nowMs);",
      },
    ],
  },
  {
    name: "drained-all-at-once",
    scenario: "drain-under-fire",
    file: "core/orchestrator/draining.ts",
    edits: [{ find: "const VMS_PER_MOVE = 10;", replace: "const VMS_PER_MOVE = 1;" }],
  },
  {
    name: "preempts-more-than-needed",
    scenario: "preemption-storm",
    file: "core/scheduler/preemption.ts",
    edits: [
      { find: "if (isEnough(others, missing)) victims = others;", replace: "if (others.length < 0) victims = others;" },
    ],
  },
  {
    name: "preempts-the-most-important",
    scenario: "preemption-storm",
    file: "core/scheduler/preemption.ts",
    edits: [
      {
        find: "lower.sort((a, b) => a.priority - b.priority ||",
        replace: "lower.sort((a, b) => b.priority - a.priority ||",
      },
    ],
  },
  {
    name: "restart-not-counted",
    scenario: "health-flapping",
    file: "core/cluster/placement-commands.ts",
    edits: [
      {
        find: "again(batch, { ...vm, restarts: vm.restarts + 1 }, vm, vm.reason);",
        replace: "again(batch, { ...vm, restarts: Math.max(1, vm.restarts) }, vm, vm.reason);",
      },
    ],
  },
  {
    name: "restarts-back-too-soon",
    scenario: "health-flapping",
    file: "core/cluster/observation-commands.ts",
    edits: [{ find: ">= vm.spec.recovery.resetAfterMs;", replace: ">= vm.spec.recovery.resetAfterMs / 4;" }],
  },
  {
    name: "move-not-counted",
    scenario: "health-flapping",
    file: "core/cluster/placement-commands.ts",
    edits: [{ find: "relocations: vm.relocations + 1", replace: "relocations: vm.relocations" }],
  },
  {
    name: "moved-keeps-restarts",
    scenario: "health-flapping",
    file: "core/cluster/placement-commands.ts",
    edits: [{ find: "avoidId: vm.workerId, restarts: 0, relocations", replace: "avoidId: vm.workerId, relocations" }],
  },
  {
    name: "growth-not-judged",
    scenario: "preemption-storm",
    file: "core/cluster/vm-commands.ts",
    edits: [{ find: "  if (isSame) return null;", replace: "  if (isSame || grown.vcpus >= 0) return null;" }],
  },
  {
    name: "placed-on-cordoned",
    scenario: "drain-under-fire",
    file: "core/scheduler/judge.ts",
    edits: [
      {
        find: 'if (worker.status !== "online") return { kind: worker.status };',
        replace: 'if (worker.status === "offline") return { kind: worker.status };',
      },
    ],
  },
  {
    name: "kept-room-given-away",
    scenario: "preemption-storm",
    file: "core/scheduler/judge.ts",
    edits: [
      {
        find: "worker.used[resource] - Math.max(0, kept);",
        replace: "worker.used[resource] - Math.max(0, kept - kept);",
      },
    ],
  },
  {
    name: "features-not-looked-at",
    scenario: "fleet-swarm",
    file: "core/scheduler/judge.ts",
    edits: [{ find: "if (request.features.length > 0) {", replace: "if (request.features.length > 99) {" }],
  },
  {
    name: "hypervisor-not-looked-at",
    scenario: "fleet-swarm",
    file: "core/cluster/placement.ts",
    edits: [{ find: "features: neededFeatures(spec),", replace: "features: spec.features," }],
  },
  {
    name: "pin-not-looked-at",
    scenario: "fleet-swarm",
    file: "core/scheduler/judge.ts",
    edits: [
      {
        find: "if (request.pinnedTo !== null && request.pinnedTo !== worker.id)",
        replace: "if (request.pinnedTo !== null && worker.id < 0)",
      },
    ],
  },
  {
    name: "asks-one-server-only",
    scenario: "split-brain-vm",
    file: "core/agent/report-channel.ts",
    edits: [
      {
        find: "this.#server = (this.#server + 1) % places;",
        replace: "this.#server %= places;",
      },
    ],
  },
  {
    name: "answer-awaited-for-ever",
    scenario: "split-brain-vm",
    file: "core/agent/report-channel.ts",
    edits: [{ find: "const ANSWER_TIMEOUT_MS = 1000;", replace: "const ANSWER_TIMEOUT_MS = 1e9;" }],
  },
  {
    name: "refused-proposal-in-flight",
    scenario: "preemption-storm",
    file: "core/node/node.ts",
    edits: [
      {
        find: 'if (origin.kind === "orchestrator") reports.settled(origin);\n        else clients.reached',
        replace:
          'if (origin.kind === "orchestrator") {\n          if (result?.ok !== false) reports.settled(origin);\n        } else clients.reached',
      },
    ],
  },
  {
    name: "failures-not-in-a-row",
    scenario: "health-flapping",
    file: "core/agent/health.ts",
    edits: [
      {
        find: "state.failuresInRow = isHealthy ? 0 : state.failuresInRow + 1;",
        replace: "state.failuresInRow = isHealthy ? state.failuresInRow : state.failuresInRow + 1;",
      },
    ],
  },
  {
    name: "waits-not-for-its-worker",
    scenario: "split-brain-vm",
    file: "core/cluster/vm-moves.ts",
    edits: [
      {
        find: 'vm.desired === "running" && (isConfirmed || vm.spec.onWorkerLost === "restart");',
        replace: 'vm.desired === "running";',
      },
    ],
  },
  {
    name: "stop-never-repeated",
    scenario: "zombie-vms",
    file: "core/agent/machines.ts",
    edits: [
      {
        find: "const STOP_AGAIN_MS = 2 * ASK_AGAIN_MS;",
        replace: "const STOP_AGAIN_MS = 1000 * ASK_AGAIN_MS;",
      },
    ],
  },
  {
    name: "refusals-never-forgotten",
    scenario: "preemption-storm",
    file: "core/orchestrator/unschedulable.ts",
    edits: [
      {
        find: "    this.#changed[this.#changes % CHANGES_MAX] = workerId;\n    this.#changes += 1;",
        replace: "    if (workerId < 0) this.#changes += 1;",
      },
    ],
  },
  {
    name: "tasks-take-no-room",
    scenario: "zombie-vms",
    file: "core/cluster/derived-indexes.ts",
    edits: [
      {
        find: 'used: changed(worker.used, resources, sign, "worker", workerId),',
        replace: 'used: workerId < 0 ? changed(worker.used, resources, sign, "worker", workerId) : worker.used,',
      },
    ],
  },
  {
    name: "boot-waited-for-ever",
    scenario: "zombie-vms",
    file: "core/agent/machines.ts",
    edits: [
      {
        find: '} else if (machine.phase === "starting" && this.#inPhaseForMs(machine) >= this.#details.bootTimeoutMsOf(name)) {',
        replace: '} else if (machine.phase === "starting" && this.#inPhaseForMs(machine) >= 1e9) {',
      },
    ],
  },
  {
    name: "deleted-by-a-lost-worker",
    scenario: "split-brain-vm",
    file: "core/cluster/vm-moves.ts",
    edits: [{ find: 'if (vm.desired === "deleted" && isConfirmed) {', replace: 'if (vm.desired === "deleted") {' }],
  },
  {
    name: "job-begun-again",
    scenario: "zombie-vms",
    file: "core/agent/tasks.ts",
    edits: [
      {
        find: "} else if (!shown.has(id) && !isBegun && this.#started.get(id)?.attempt !== attempt) {",
        replace: "} else if (!shown.has(id) && this.#started.get(id)?.attempt !== attempt) {",
      },
    ],
  },
];
