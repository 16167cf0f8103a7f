/**
 * What clients believe of the cluster, by the answers that they saw and nothing else. All clients of a run share it.
 * It is often wrong: others act at the same time, and answers get lost.
 */
import type {
  ApplyResult,
  ClientAnswer,
  Command,
  IpPoolSpec,
  Quota,
  TaskRecord,
  TokenRecord,
  VmSpec,
} from "../../core/index.ts";
import type { Asked } from "./operation.ts";

interface BelievedVm {
  readonly generation: number;
  readonly spec: VmSpec;
}

export interface BelievedToken extends Pick<TokenRecord, "id" | "secretHash" | "purpose" | "nodeId"> {
  usedBy: number | null;
  isRevoked: boolean;
  /** Virtual time from which on nobody may be let in with it any more, if clocks are right. */
  readonly expiresAtMs: number;
}

/** What is remembered of each kind at most: what is older is of no more use. */
const REMEMBERED_MAX = 64;

export class Belief {
  readonly vms = new Map<string, BelievedVm>();
  readonly tokens = new Map<string, BelievedToken>();
  readonly tasks = new Map<string, TaskRecord["state"]>();
  readonly pools = new Map<string, IpPoolSpec>();
  readonly quotas = new Map<string, Quota>();
  /** Nodes that are no members. */
  readonly nodes = new Map<number, string>();
  /** Where the last page of a list ended, by kind of the question. */
  readonly pages = new Map<string, string | null>();
  /** Of the scheduler's settings. */
  schedulerGeneration = 1;
  /** The highest index of an event page. */
  eventsUpTo = 0;

  /** A definite answer has come. */
  learn(asked: Asked, answer: ClientAnswer, nowMs: number): void {
    if (asked.kind === "write" && answer.kind === "applied") this.#applied(asked.command, answer.result, nowMs);
    if (asked.kind === "read" && answer.kind === "read") this.#told(asked, answer);
  }

  #applied(command: Command, result: ApplyResult, nowMs: number): void {
    if (result.ok) this.#done(command, result, nowMs);
    else this.#refused(command, result);
  }

  #done(command: Command, result: ApplyResult & { readonly ok: true }, nowMs: number): void {
    switch (command.kind) {
      case "createVm":
      case "updateVm":
        if ("generation" in result) this.vms.set(command.name, { generation: result.generation, spec: command.spec });
        return;
      case "deleteVm":
        this.vms.delete(command.name);
        return;
      case "createToken": {
        const { id, secretHash, purpose, nodeId, ttlMs } = command;
        const expiresAtMs = nowMs + ttlMs;
        remember(this.tokens, id, { id, secretHash, purpose, nodeId, expiresAtMs, usedBy: null, isRevoked: false });
        return;
      }
      case "revokeToken": {
        const token = this.tokens.get(command.id);
        if (token !== undefined) token.isRevoked = true;
        return;
      }
      case "admitNode": {
        const token = this.tokens.get(command.tokenId);
        if (token !== undefined) token.usedBy = command.nodeId;
        remember(this.nodes, command.nodeId, command.peerId);
        return;
      }
      case "announceNode":
        remember(this.nodes, command.nodeId, command.peerId);
        return;
      case "submitTask":
        remember(this.tasks, command.id, "Pending");
        return;
      case "cancelTask":
        if (this.tasks.get(command.id) === "Pending") this.tasks.set(command.id, "Cancelled");
        else this.tasks.delete(command.id);
        return;
      case "createPool":
        remember(this.pools, command.spec.name, command.spec);
        return;
      case "deletePool":
        this.pools.delete(command.name);
        return;
      case "setPoolEnabled": {
        const spec = this.pools.get(command.name);
        if (spec !== undefined) this.pools.set(command.name, { ...spec, enabled: command.enabled });
        return;
      }
      case "configureScheduler":
        // It is that much at least: this one was carried out.
        this.schedulerGeneration = Math.max(this.schedulerGeneration, (command.expectedGeneration ?? 1) + 1);
        return;
      case "setQuota":
        if (command.quota === null) this.quotas.delete(command.tenant);
        else this.quotas.set(command.tenant, command.quota);
        return;
      default:
    }
  }

  #refused(command: Command, { refusal }: ApplyResult & { readonly ok: false }): void {
    switch (refusal.kind) {
      case "vmNotFound":
        if ("name" in command) this.vms.delete(command.name);
        return;
      case "generationMismatch": {
        if (command.kind === "configureScheduler") this.schedulerGeneration = refusal.actual;
        if (!("name" in command)) return;
        const known = this.vms.get(command.name);
        if (known !== undefined) this.vms.set(command.name, { ...known, generation: refusal.actual });
        return;
      }
      case "tokenNotFound":
        if (command.kind === "revokeToken") this.tokens.delete(command.id);
        return;
      case "taskNotFound":
        if (command.kind === "cancelTask") this.tasks.delete(command.id);
        return;
      case "poolNotFound":
        this.pools.delete(refusal.pool);
        return;
      default:
    }
  }

  #told(
    { query }: Extract<Asked, { readonly kind: "read" }>,
    { result }: Extract<ClientAnswer, { readonly kind: "read" }>,
  ): void {
    switch (result.kind) {
      case "vm":
        if (query.kind !== "getVm") return;
        if (result.vm === null) this.vms.delete(query.name);
        else this.vms.set(query.name, { generation: result.vm.generation, spec: result.vm.spec });
        return;
      case "vms":
        this.pages.set("listVms", result.nextAfterName);
        return;
      case "tokens":
        this.pages.set("listTokens", result.nextAfterId);
        return;
      case "tasks":
        this.pages.set("listTasks", result.nextAfterId);
        return;
      case "pools":
        this.pools.clear();
        for (const { spec } of result.pools) remember(this.pools, spec.name, spec);
        return;
      case "scheduler":
        this.schedulerGeneration = result.generation;
        return;
      case "events":
        this.eventsUpTo = Math.max(this.eventsUpTo, result.events.at(-1)?.index ?? result.lastIndex);
        return;
      default:
    }
  }
}

function remember<K, V>(known: Map<K, V>, key: K, value: V): void {
  known.set(key, value);
  if (known.size <= REMEMBERED_MAX) return;
  for (const oldest of known.keys()) {
    known.delete(oldest);
    break;
  }
}
