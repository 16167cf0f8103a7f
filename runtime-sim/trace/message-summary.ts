/**
 * A message as a trace shows it: every field that tells something, and none that is long. Chains and digests stay, for
 * they say whether two logs are equal. A certificate is shown by who signed it, bytes by how many there are, and an
 * entry by its index, its term, its kind and what it asks for.
 */
import {
  type Configuration,
  decodeConfigurationRecord,
  decodeEntryData,
  decodeRequest,
  type Entry,
  InvalidCommand,
  InvalidFrame,
  type Message,
} from "../../core/index.ts";
import { askedText } from "../workload/index.ts";

/** The same in all messages of a run. */
const HIDDEN: ReadonlySet<string> = new Set(["clusterId", "incarnation"]);
/** What only some messages carry: left out where it is not there. */
const ATTACHED: ReadonlySet<string> = new Set(["certificate", "proof", "endorsement", "transfer"]);
/** Of what is attached: who signed is shown. */
const SIGNATURE = "signature";

export function messageSummary(message: Message): object {
  const shown: Record<string, unknown> = { type: message.type };
  for (const [name, value] of Object.entries(message)) if (isShown(name, value)) shown[name] = shortened(value);
  switch (message.type) {
    case "append":
      return { ...shown, entries: message.entries.map(entrySummary) };
    case "snapshotChunk": {
      const { configuration, lineage, ...meta } = message.meta;
      return { ...shown, meta: { ...meta, configuration: configurationText(configuration), links: lineage.length } };
    }
    case "introduction":
      return {
        ...shown,
        links: message.links.map(({ joint, ...link }) => ({ ...link, joint: configurationText(joint) })),
      };
    case "forward":
      return { ...shown, asks: requestText(message.data) };
    default:
      return shown;
  }
}

export function configurationText({ voters, outgoing, learners }: Configuration): string {
  const joint = outgoing.length === 0 ? "" : `, leaving ${outgoing.join(" ")}`;
  return `voters ${voters.join(" ")}${joint}${learners.length === 0 ? "" : `, learners ${learners.join(" ")}`}`;
}

function isShown(name: string, value: unknown): boolean {
  return !HIDDEN.has(name) && !(ATTACHED.has(name) && (value === null || value === ""));
}

function shortened(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== SIGNATURE);
  const [only] = fields;
  // A signature is whose it is.
  if (only !== undefined && fields.length === 1 && SIGNATURE in value) return only[1];
  return Object.fromEntries(fields.map(([name, part]) => [name, shortened(part)]));
}

function entrySummary({ index, term, kind, data }: Entry): object {
  switch (kind) {
    case "noop":
      return { index, term, kind };
    case "command":
      return { index, term, kind, asks: commandText(data) };
    case "configuration":
      return { index, term, kind, members: configurationIn(data) };
  }
}

/** A liar's entry may hold anything. */
function commandText(data: Uint8Array): string {
  const { request } = decodeEntryData(data);
  return request === undefined ? UNREADABLE : askedText({ kind: "write", command: request.command });
}

function requestText(data: Uint8Array): string {
  try {
    return askedText({ kind: "write", command: decodeRequest(data).command });
  } catch (error) {
    if (!(error instanceof InvalidCommand)) throw error;
    return UNREADABLE;
  }
}

function configurationIn(data: Uint8Array): string {
  try {
    return configurationText(decodeConfigurationRecord(data).configuration);
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return UNREADABLE;
  }
}

const UNREADABLE = "what cannot be read";
