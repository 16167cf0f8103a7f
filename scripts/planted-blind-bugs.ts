/**
 * Bugs that were chosen without knowledge of the oracles, to measure how well those find what nobody had in mind.
 * None of them comes from another system: each is a slip that a good engineer could make here.
 */
import type { Plant } from "./planted-bugs.ts";

const CONSENSUS_PLANTS: readonly Plant[] = [
  {
    // The commit index is bounded by the whole log, and not by what the append has shown to agree.
    name: "commit-to-log-end",
    scenario: ["leader-churn", "swarm"],
    file: "core/raft/following.ts",
    edits: [
      {
        find: "commitAsFollower(raft, Math.min(message.commit, index));",
        replace: "commitAsFollower(raft, Math.min(message.commit, raft.log.lastIndex));",
      },
    ],
  },
  {
    // The pre-vote was refused while the leader was heard: the vote is not asked again.
    name: "stickiness-at-pre-vote-only",
    scenario: ["late-votes", "late-orders"],
    file: "core/raft/election.ts",
    edits: [
      {
        find: `if (isSticky(raft, message)) {
    mark("election/vote-refused-leader-heard");`,
        replace: `if (raft.role === "leader" && isSticky(raft, message)) {
    mark("election/vote-refused-leader-heard");`,
      },
    ],
  },
  {
    name: "campaigns-on-stalled-disk",
    scenario: "late-votes",
    file: "core/raft/raft.ts",
    edits: [
      {
        find: "state.nowMs >= state.electionDeadlineMs && state.outbox.diskIdle",
        replace: "state.nowMs >= state.electionDeadlineMs",
      },
      { find: "roster.promotable && outbox.diskIdle ?", replace: "roster.promotable ?" },
    ],
  },
  {
    // The lease counts from when the answer came, and not from when the question left.
    name: "lease-from-answer",
    scenario: ["lease-reads", "transfer-storm"],
    file: "core/raft/leading.ts",
    edits: [{ find: "progress.roundSentMs = sentMs;", replace: "progress.roundSentMs = raft.nowMs;" }],
  },
  {
    // A transfer that is given up is forgotten, although its order may still be followed.
    name: "lease-after-abandoned-transfer",
    scenario: ["late-orders"],
    file: "core/raft/leadership.ts",
    edits: [
      {
        find: `    this.#leaseBlocked ||= this.#transferring?.sent === true;
`,
        replace: "",
      },
    ],
  },
  {
    // Pre-votes of an earlier campaign, perhaps for an earlier term, count in the next.
    name: "pre-votes-kept",
    scenario: ["election-duels", "swarm"],
    file: "core/raft/state.ts",
    edits: [
      {
        find: `    this.preVotes.clear();
`,
        replace: "",
      },
    ],
  },
  {
    // In a joint phase only the incoming voters are asked for their votes.
    name: "outgoing-voters-not-asked",
    scenario: ["membership-churn", "swarm"],
    file: "core/raft/election.ts",
    edits: [
      {
        find: `  const { voters, outgoing } = raft.roster.configuration;
  return [...new Set([...voters, ...outgoing])].filter((id) => id !== raft.id);`,
        replace: "  return raft.roster.configuration.voters.filter((id) => id !== raft.id);",
      },
    ],
  },
  {
    // A truncation right behind a configuration takes that with it.
    name: "unplace-one-too-many",
    scenario: ["cut-off-leaders"],
    file: "core/raft/roster.ts",
    edits: [
      {
        find: "this.latest.index > index) this.#configurations.pop();",
        replace: "this.latest.index >= index) this.#configurations.pop();",
      },
    ],
  },
  {
    // A log that reaches beyond the snapshot is taken for one that agrees with it.
    name: "snapshot-keeps-other-tail",
    scenario: ["cut-off-leaders"],
    file: "core/raft/state.ts",
    edits: [
      {
        find: "if (this.log.chainAt(meta.index) === meta.chain) {",
        replace: "if (this.log.lastIndex >= meta.index) {",
      },
    ],
  },
  {
    // What was uncommitted when leadership was lost counts for ever.
    name: "uncommitted-bytes-kept",
    scenario: ["leader-churn", "swarm"],
    file: "core/raft/leadership.ts",
    edits: [
      {
        find: `    this.#leaseBlocked = false;
    this.#uncommittedBytes = 0;`,
        replace: "    this.#leaseBlocked = false;",
      },
    ],
  },
  {
    // A configuration that was replaced can still elect in later terms.
    name: "former-voters-elect",
    masked:
      "Honest voters give nobody such votes. A link is only made of a joint entry that a quorum of its outgoing voters " +
      "holds. Every other quorum of those has one of them in it, whose vote goes to logs with that entry alone; and " +
      "who has it in its log acts by the joint configuration or a later one, and asks for a quorum of that. It takes " +
      "voters that lie, or have lost their data.",
    scenario: ["membership-churn", "swarm"],
    file: "core/raft/certificates.ts",
    edits: [
      {
        find: "if (term <= jointTerm && isQuorum({ ...joint, voters: joint.outgoing, outgoing: [] }, signed)) return true;",
        replace: "if (isQuorum({ ...joint, voters: joint.outgoing, outgoing: [] }, signed)) return true;",
      },
    ],
  },
];

const NODE_PLANTS: readonly Plant[] = [
  {
    // A refusal changes nothing, so it is not kept: a late copy of the request is judged anew.
    name: "refusals-not-remembered",
    scenario: ["flaky-network", "swarm"],
    file: "core/cluster/apply.ts",
    edits: [
      {
        find: "batch.putSession(withResponse(current, request, result));",
        replace: "batch.putSession(result.ok ? withResponse(current, request, result) : current);",
      },
    ],
  },
  {
    // What was forwarded to a leader that is gone is said to have failed.
    name: "forwarded-proposal-denied",
    scenario: ["partitions", "leader-hunt"],
    file: "core/node/client-requests.ts",
    edits: [
      {
        find: "for (const [ticket, { request, forwarded, readIndex }] of this.pending.entries()) {",
        replace: "for (const [ticket, { forwarded, readIndex }] of this.pending.entries()) {",
      },
      {
        find: 'this.pending.refuse(ticket, { kind: request.kind === "read" ? "noLeader" : "outcomeUnknown" });',
        replace: 'this.pending.refuse(ticket, { kind: "noLeader" });',
      },
    ],
  },
  {
    // Another leader's entry at the index of a change counts as the change.
    name: "membership-answer-by-index",
    scenario: ["cut-off-leaders"],
    file: "core/node/membership-requests.ts",
    edits: [
      {
        find: "if (term === entry.term) pending.jointCommitted = true;",
        replace: "if (term <= entry.term) pending.jointCommitted = true;",
      },
    ],
  },
  {
    // The random number is scaled as if it were a fraction: each process begins with the same tickets.
    name: "tickets-from-zero",
    scenario: ["crash-restart", "swarm"],
    file: "core/node/pending-requests.ts",
    edits: [
      {
        find: "this.#nextTicket = random * TICKETS_PER_PROCESS;",
        replace: "this.#nextTicket = Math.floor(random / 2 ** 32) * TICKETS_PER_PROCESS;",
      },
    ],
  },
];

const STATE_PLANTS: readonly Plant[] = [
  {
    // A VM that comes from another tenant counts as one that grows.
    name: "moved-vm-not-counted",
    scenario: ["fleet-swarm"],
    file: "core/cluster/vm-commands.ts",
    edits: [
      {
        find: `hasMoved
        ? quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec))`,
        replace: `hasMoved
        ? quotaRefusal(batch, spec.tenant, 0, resourcesOf(spec))`,
      },
    ],
  },
  {
    // Addresses are taken before the quota is asked, and stay taken when it refuses.
    name: "address-leak-on-refusal",
    scenario: ["address-exhaustion", "fleet-swarm"],
    file: "core/cluster/vm-commands.ts",
    edits: [
      {
        find: `      const limited =
        takeToken(batch, spec.tenant, "creates") ?? quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec));
      if (limited !== null) return limited;
      const allocation = spec.networks.length === 0 ? null : allocate(batch, name, spec);
      if (allocation !== null && allocation.refusal !== null) return allocation.refusal;`,
        replace: `      const allocation = spec.networks.length === 0 ? null : allocate(batch, name, spec);
      if (allocation !== null && allocation.refusal !== null) return allocation.refusal;
      const limited =
        takeToken(batch, spec.tenant, "creates") ?? quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec));
      if (limited !== null) return limited;`,
      },
    ],
  },
  {
    name: "one-attempt-too-many",
    scenario: ["zombie-vms", "fleet-swarm"],
    file: "core/cluster/tasks.ts",
    edits: [{ find: "task.attempt >= task.attemptsMax", replace: "task.attempt > task.attemptsMax" }],
  },
  {
    // Another process of the agent counts as the one that was there when its tasks were placed.
    name: "registered-index-kept",
    scenario: ["host-loss", "fleet-swarm"],
    file: "core/cluster/workers.ts",
    edits: [
      {
        find: "registeredIndex: known?.bootId === bootId ? known.registeredIndex : batch.appliedIndex,",
        replace: "registeredIndex: known?.registeredIndex ?? batch.appliedIndex,",
      },
    ],
  },
  {
    // Whoever ran at all was well, however briefly: restarts never become more.
    name: "running-counts-as-well",
    scenario: ["health-flapping", "fleet-swarm"],
    file: "core/cluster/observation-commands.ts",
    edits: [
      {
        find: 'const wasWell = vm.state === "Running" && batch.timeMs - vm.runningSinceMs >= vm.spec.recovery.resetAfterMs;',
        replace: 'const wasWell = vm.state === "Running";',
      },
    ],
  },
  {
    // What a VM was placed with is forgotten by a snapshot.
    name: "room-rebuilt-from-spec",
    scenario: ["fleet-swarm", "preemption-storm"],
    file: "core/cluster/rebuild-indexes.ts",
    edits: [
      {
        find: `  heldBy,
`,
        replace: "",
      },
      { find: "add(heldBy(vm))", replace: "add(resourcesOf(vm.spec))" },
    ],
  },
  {
    name: "one-session-too-many",
    scenario: ["swarm", "crash-restart"],
    file: "core/cluster/apply.ts",
    edits: [
      {
        find: "if (batch.sessionCount >= batch.limits.sessions) {",
        replace: "if (batch.sessionCount > batch.limits.sessions) {",
      },
    ],
  },
  {
    // Tokens drip in without end.
    name: "bucket-overflows",
    scenario: ["noisy-neighbour-quotas", "fleet-swarm"],
    file: "core/cluster/tenants.ts",
    edits: [
      {
        find: "const now = Math.min(burst * 1000, milliTokens + Math.floor((perMinute * passedMs) / 60));",
        replace: "const now = milliTokens + Math.floor((perMinute * passedMs) / 60);",
      },
    ],
  },
];

const SCHEDULER_PLANTS: readonly Plant[] = [
  {
    name: "reserve-not-for-memory",
    scenario: ["noisy-neighbour-quotas", "fleet-swarm"],
    file: "core/scheduler/judge.ts",
    edits: [
      {
        find: "memoryMiB: Math.floor((capacity.memoryMiB * memory * share) / 100),",
        replace: "memoryMiB: Math.floor(capacity.memoryMiB * memory),",
      },
    ],
  },
  {
    name: "one-more-per-worker",
    scenario: ["noisy-neighbour-quotas", "fleet-swarm"],
    file: "core/scheduler/judge.ts",
    edits: [{ find: "if (used >= limit) return", replace: "if (used > limit) return" }],
  },
  {
    // Whoever turns out not to be needed goes all the same.
    name: "needless-victims",
    scenario: ["preemption-storm", "fleet-swarm"],
    file: "core/scheduler/preemption.ts",
    edits: [
      { find: "let victims: Occupant[] = [];", replace: "const victims: Occupant[] = [];" },
      {
        find: `  // The most important first: whoever turns out not to be needed stays.
  for (const victim of [...victims].reverse()) {
    const others = victims.filter((one) => one !== victim);
    if (isEnough(others, missing)) victims = others;
  }
`,
        replace: "",
      },
    ],
  },
  {
    // Only the last of several bounds says whether those above have to be looked at.
    name: "bounds-not-passed-up",
    scenario: ["preemption-storm", "fleet-swarm"],
    file: "core/scheduler/placement-tree.ts",
    edits: [{ find: "hasChanged ||= bounds[at] !== bound;", replace: "hasChanged = bounds[at] !== bound;" }],
  },
];

const ORCHESTRATOR_PLANTS: readonly Plant[] = [
  {
    // Whatever changes about a worker counts as a sign of life.
    name: "lease-renewed-by-any-change",
    scenario: ["host-loss", "split-brain-vm"],
    file: "core/orchestrator/worker-leases.ts",
    edits: [
      {
        find: "else if (!this.#ends.has(id)) this.#ends.set(id, nowMs + this.#waitMs);",
        replace: "else this.#ends.set(id, nowMs + this.#waitMs);",
      },
    ],
  },
  {
    // The first lease of a process is granted and not counted.
    name: "first-lease-not-counted",
    scenario: ["flapping-agents"],
    file: "core/orchestrator/orchestrator.ts",
    edits: [
      {
        find: `    // The report may have come before its process was registered, when its lease was not counted.
    this.#leases.renew(workerId, nowMs);`,
        replace: "    if (this.#inventories.isKnown(report)) this.#leases.renew(workerId, nowMs);",
      },
    ],
  },
  {
    // A drained VM that has left counts as moved, although it runs nowhere yet.
    name: "drain-counts-leaving-only",
    scenario: ["drain-under-fire", "fleet-swarm"],
    file: "core/orchestrator/draining.ts",
    edits: [
      {
        find: `    const isMoving =
      hasRun(vm) &&
      (vm.eviction !== null || (vm.workerId !== this.#drains.originOf(vm.name) && vm.state !== "Running"));`,
        replace: "    const isMoving = hasRun(vm) && vm.eviction !== null;",
      },
    ],
  },
  {
    // An agent that knows of a placement is taken to know that it has ended.
    name: "absence-known-since-placement",
    scenario: ["hasty-tenants"],
    file: "core/orchestrator/observations.ts",
    edits: [
      {
        find: "return seenOf(vm, heard.inventory.machines.get(vm.name) ?? null, knows(heard, worker, vm));",
        replace: `const placed = { updatedIndex: vm.epoch };
  return seenOf(vm, heard.inventory.machines.get(vm.name) ?? null, knows(heard, worker, placed));`,
      },
    ],
  },
  {
    // A VM whose spec has changed is asked for only where something has changed since.
    name: "refusal-outlives-spec",
    scenario: ["preemption-storm", "fleet-swarm"],
    file: "core/orchestrator/placing.ts",
    edits: [
      {
        find: `    this.#unschedulable.forget(name);
    this.#blocked.vmChanged(vm);`,
        replace: `    if (!needsPlace(vm)) this.#unschedulable.forget(name);
    this.#blocked.vmChanged(vm);`,
      },
    ],
  },
];

const AGENT_PLANTS: readonly Plant[] = [
  {
    // What a former leader has seen counts as seen.
    name: "heard-by-a-former-leader",
    scenario: ["fleet-swarm", "zombie-vms"],
    file: "core/agent/inventory.ts",
    edits: [
      {
        find: `  heard(version: number): void {
    this.#heardVersion = version;`,
        replace: `  heard(version: number): void {
    this.#heardVersion = Math.max(this.#heardVersion, version);`,
      },
    ],
  },
  {
    // An agent at rest is not woken for what hangs, or was ignored.
    name: "hangs-not-looked-at",
    scenario: ["zombie-vms", "fleet-swarm"],
    file: "core/agent/agent.ts",
    edits: [
      {
        find: "this.#restUntilMs = Math.min(this.#health.nextDueMs, this.#machines.nextChangeMs, this.#tasks.nextChangeMs);",
        replace: "this.#restUntilMs = Math.min(this.#health.nextDueMs, this.#tasks.nextChangeMs);",
      },
    ],
  },
  {
    // A build under way of what is no longer wanted is not reported.
    name: "unwanted-build-not-told",
    scenario: ["hasty-tenants"],
    file: "core/agent/machines.ts",
    edits: [
      {
        find: 'if (kind === "build" && !this.#isKnown(name) && this.#step.nowMs < atMs + ASK_AGAIN_MS)',
        replace: `const isWanted = assignment?.vms.some((vm) => vm.name === name && vm.intent === "run") === true;
      if (kind === "build" && isWanted && !this.#isKnown(name) && this.#step.nowMs < atMs + ASK_AGAIN_MS)`,
      },
    ],
  },
  {
    // Failures count in all, and not in a row.
    name: "failures-never-forgiven",
    scenario: ["health-flapping", "fleet-swarm"],
    file: "core/agent/health.ts",
    edits: [
      {
        find: "state.failuresInRow = isHealthy ? 0 : state.failuresInRow + 1;",
        replace: "if (!isHealthy) state.failuresInRow += 1;",
      },
    ],
  },
];

export const BLIND_PLANTS: readonly Plant[] = [
  ...CONSENSUS_PLANTS,
  ...NODE_PLANTS,
  ...STATE_PLANTS,
  ...SCHEDULER_PLANTS,
  ...ORCHESTRATOR_PLANTS,
  ...AGENT_PLANTS,
];
