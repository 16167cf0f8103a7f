/** Bugs in what a member believes of time, of who is who, and of what it remembers, as edits to the core. */
import type { Plant } from "./planted-bugs.ts";

export const IDENTITY_PLANTS: readonly Plant[] = [
  {
    name: "time-of-the-leader",
    scenario: "wrong-wall-clocks",
    file: "core/node/node.ts",
    edits: [{ find: "wallMs: raft.quorumWallMs,", replace: "wallMs: raft.wallMs," }],
  },
  {
    name: "time-of-the-first-clock",
    scenario: "wrong-wall-clocks",
    file: "core/raft/peer-clocks.ts",
    edits: [
      {
        find: "return Math.max(0, Math.floor(reached));",
        replace: `let latest = Math.max(own.wallMs, reached);
    for (const { wallMs } of this.#shown.values()) latest = Math.max(latest, wallMs);
    return Math.max(0, Math.floor(latest));`,
      },
    ],
  },
  {
    name: "voter-starts-anew",
    scenario: "empty-disks",
    file: "core/node/newcomer.ts",
    edits: [
      {
        find: 'return hasAnswered || configuration.voters.includes(id) ? "hasRun" : null;',
        replace: 'return hasAnswered && !configuration.members.some((member) => member.id === id) ? "hasRun" : null;',
      },
    ],
  },
  {
    name: "revoked-token-lets-in",
    scenario: "contested-tokens",
    file: "core/cluster/nodes.ts",
    edits: [{ find: 'if (token.revokedAtMs !== null) return refused({ kind: "tokenRevoked" });', replace: "" }],
  },
  {
    // Whoever may come in by the state of the member that it asks is told so at once: others are too.
    name: "admitted-before-committed",
    scenario: "contested-tokens",
    file: "core/node/client-requests.ts",
    edits: [
      {
        find: 'import { mark } from "../marks.ts";',
        replace: `import { admissionRefusal } from "../cluster/nodes.ts";
import { mark } from "../marks.ts";`,
      },
      {
        find: `        this.proposals.request(requestId, request);
        return;`,
        replace: `        const { command } = request.request;
        if (command.kind === "admitNode" && admissionRefusal(this.#applier.state, command) === null) {
          const ticket = this.pending.add(requestId, request, this.#raft.nowMs);
          const result = { ok: true, kind: "nodeAdmitted" } as const;
          this.pending.answer(ticket, { kind: "applied", index: 1, term: 1, result });
          return;
        }
        this.proposals.request(requestId, request);
        return;`,
      },
    ],
  },
  {
    name: "moved-member-is-not-heard",
    scenario: "moved-addresses",
    file: "core/node/address-book.ts",
    edits: [{ find: "this.#told.set(peerId, addresses);", replace: "" }],
  },
  {
    name: "nobody-speaks-for-the-moved",
    scenario: "moved-addresses",
    file: "core/node/address-book.ts",
    edits: [{ find: "const PATIENCE = 3;", replace: "const PATIENCE = 1e9;" }],
  },
  {
    name: "addresses-not-remembered",
    scenario: "moved-addresses",
    file: "core/node/address-book.ts",
    edits: [{ find: "    return peers;\n", replace: "    return [];\n" }],
  },
];
