/** `blixard events` and `blixard audit`: what happened, and who asked for it, in the order of the log. */
import type { Command } from "commander";
import type { AnswerOf } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, EXIT, parseCount, type Session, withExamples } from "../frame/index.ts";
import { formatTime } from "../output/index.ts";

type Event = AnswerOf<"events.list">["events"][number];

interface EventsOptions extends ClientOptions {
  readonly follow?: true;
  readonly after: number;
  readonly stale?: true;
}

export const registerEvents: CommandGroup = (program, session) => {
  register(program, session, {
    verb: "events",
    examples: ["blixard events", "blixard events --follow", "blixard events --after 1200 --json"],
    description: "Show what happened, in the order of the log; each line begins with its log index.",
    isWanted: () => true,
  });
};

/** Who asked for what is told by events as well. */
export const registerAudit: CommandGroup = (program, session) => {
  register(program, session, {
    verb: "audit",
    examples: ["blixard audit", "blixard audit --follow", "blixard audit --json"],
    description:
      "Show who asked for what, in the order of the log, and what was refused. local: over a node's socket; token:ID: with that API token; node:N: another node.",
    isWanted: ({ kind }) => kind === "requested",
  });
};

interface Stream {
  readonly verb: string;
  readonly examples: readonly string[];
  readonly description: string;
  readonly isWanted: (event: Event) => boolean;
}

function register(program: Command, session: Session, { verb, examples, description, isWanted }: Stream): void {
  const { terminal } = session;
  withClientOptions(
    withExamples(program.command(verb), examples)
      .description(description)
      .option("--follow", "go on with what happens from now on, until Ctrl-C")
      .option("--after <index>", "only what came after this log index", parseCount, 0)
      .option("--stale", "what this node knows, without asking the leader"),
  ).action(async (options: EventsOptions) => {
    const show = (event: Event): void => {
      if (isWanted(event)) terminal.out(options.json === true ? JSON.stringify(event) : renderEvent(event));
    };
    const missing = (oldestIndex: number | null): void =>
      terminal.err(`events before log index ${oldestIndex ?? "?"} are not kept any more`);
    if (options.follow === true) {
      const { signal } = session.watchInterrupt();
      await withNode(options, async (api) => {
        for await (const streamed of api.events({ afterIndex: options.after, signal })) {
          if (streamed.kind === "gap") missing(streamed.oldestIndex);
          else show(streamed.event);
        }
      });
      session.end(EXIT.holds);
      return;
    }
    await withNode(options, async (api) => {
      for (let afterIndex = options.after; ; ) {
        const page = await api.read(
          "events.list",
          { afterIndex, stale: options.stale === true },
          { timeoutMs: options.timeout },
        );
        if (!page.complete && afterIndex > 0) missing(page.oldestIndex);
        for (const event of page.events) show(event);
        const last = page.events.at(-1);
        if (last === undefined) return;
        afterIndex = last.index;
      }
    });
  });
}

export function renderEvent(event: Event): string {
  return `${`${event.index}`.padStart(8)}  ${formatTime(event.atMs)}  ${words(event)}`;
}

function words(event: Event): string {
  switch (event.kind) {
    case "vmCreated":
      return `VM ${event.name} created (tenant ${event.tenant})`;
    case "vmUpdated":
      return `VM ${event.name} changed: generation ${event.generation}`;
    case "vmDeleted":
      return `VM ${event.name} deleted`;
    case "vmState":
      return `VM ${event.name} is ${event.state}${at(event.workerId)}${because(event.reason)}`;
    case "workerRegistered":
      return `worker ${event.workerId} registered${event.driver === null ? "" : ` with driver ${event.driver}`}`;
    case "workerStatus":
      return `worker ${event.workerId} is ${event.status}${event.reason === event.status ? "" : because(event.reason)}`;
    case "workerRemoved":
      return `worker ${event.workerId} removed for ever`;
    case "taskState":
      return `task ${event.id} is ${event.state}${at(event.workerId)}${because(event.reason)}`;
    case "quotaSet":
      return `tenant ${event.tenant} ${event.isLimited ? "has a quota" : "has no quota any more"}`;
    case "poolChanged":
      return `address pool ${event.pool} ${event.change}`;
    case "schedulerConfigured":
      return `VMs are placed by strategy ${event.strategy}`;
    case "poolStrategySet":
      return `addresses come from pools by strategy ${event.strategy}`;
    case "requested": {
      const { by, command, change, target, refusal } = event;
      const verb = change === null ? ASKED[command] : CHANGE[change];
      const what = target === null ? verb : `${verb} ${target}`;
      return `${by} asked to ${what}${refusal === null ? "" : `: refused, ${spaced(refusal)}`}`;
    }
    case "tokenCreated":
      return `token ${event.tokenId} made, for ${event.purpose === "join" ? "joining" : "the API"}`;
    case "tokenRevoked":
      return `token ${event.tokenId} revoked`;
    case "nodeAdmitted":
      return `node ${event.nodeId} admitted with token ${event.tokenId}`;
    case "nodeAnnounced":
      return `node ${event.nodeId} listens on ${event.addresses.join(", ")}`;
    case "membershipChanged": {
      const learners = event.learners.length === 0 ? "" : `, learners ${event.learners.join(", ")}`;
      return `members: voters ${event.voters.join(", ")}${learners}`;
    }
  }
}

function at(workerId: number | null): string {
  return workerId === null ? "" : ` on worker ${workerId}`;
}

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}

/** Which way, where a command goes either. */
const CHANGE = {
  cordon: "cordon worker",
  drain: "drain worker",
  uncordon: "uncordon worker",
  start: "start VM",
  stop: "stop VM",
  enable: "enable address pool",
  disable: "disable address pool",
  limit: "limit tenant",
  unlimit: "take the limits off tenant",
} as const satisfies Record<NonNullable<Extract<Event, { readonly kind: "requested" }>["change"]>, string>;

const ASKED = {
  createVm: "create VM",
  updateVm: "change VM",
  deleteVm: "delete VM",
  setVmDesired: "start or stop VM",
  restartVm: "restart VM",
  migrateVm: "move VM",
  setAvailability: "cordon, drain or uncordon worker",
  confirmWorkerDead: "confirm the death of worker",
  removeWorker: "remove worker",
  setQuota: "limit tenant",
  createPool: "create address pool",
  deletePool: "delete address pool",
  setPoolEnabled: "enable or disable address pool",
  setPoolStrategy: "change how address pools are chosen",
  submitTask: "run task",
  cancelTask: "cancel task",
  rebalance: "rebalance VMs",
  configureScheduler: "change how VMs are placed",
  createToken: "make token",
  revokeToken: "revoke token",
  admitNode: "admit node",
  announceNode: "announce node",
  registerWorker: "register worker",
  workerLost: "give up worker",
  observe: "note what runs on worker",
  placeVm: "place VM",
  preempt: "make room for VM",
  evictVm: "evict VM",
  recoverVm: "recover VM",
  dropNomination: "keep no room for VM",
  placeTask: "place task",
} as const satisfies Record<Extract<Event, { readonly kind: "requested" }>["command"], string>;

/** quotaExceeded as quota exceeded. */
function spaced(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
