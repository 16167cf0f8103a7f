/**
 * What each Byzantine act is expected to lead to. One table: runs are judged by it, `sim byzantine --verdicts` prints
 * it, `docs/byzantine.md` explains it.
 *
 *   inert      no honest node changed anything for it, beyond keeping evidence
 *   believed   an honest node acted on it as if all were well, and nothing was lost that the oracles watch
 *   evicted    an honest node kept evidence that names the liar, and listens to it no more
 *   failStop   an honest node stopped itself over evidence, rather than diverge
 *   found      outside of what majorities can bear: the lie did harm, and an oracle named in the row saw it
 *
 * A row may allow several, where the run decides. `inert` is allowed beyond that exactly when no lie ever reached an
 * honest node in a state in which it had to be noticed; `mustShow` says when that is. In each such state the node must
 * show the evidence in the same step, or the run fails.
 */

export type Outcome = "inert" | "believed" | "evicted" | "failStop" | "found";

/** Whom an act lies to. Each audience has a scenario in which there is one. */
export type Audience = "members" | "joiners" | "workers" | "clients";

export interface ActVerdict {
  readonly act: string;
  readonly to: Audience;
  /** What the liar does. */
  readonly summary: string;
  /** Allowed outcomes. */
  readonly outcomes: readonly Outcome[];
  /** The same for a person. */
  readonly expected: string;
  /** When an honest node cannot but notice, and what it must show then; null when never. */
  readonly mustShow: string | null;
  /** Oracles that may find the harm. Empty unless `found` is allowed. */
  readonly oracles: readonly string[];
  /** Oracles that may find what follows once harm was done, and not before. */
  readonly aftermath: readonly string[];
  readonly why: string;
}

/** Two histories have begun: each of these oracles sees it, and the run decides which sees it first. */
const DIVERGENCE = [
  "acknowledged-durable",
  "as-modelled",
  "committed-immutable",
  "committed-on-quorum",
  "exactly-once",
  "leader-completeness",
  "linearizability",
  "log-matching",
  "read-freshness",
  "sessions",
  "state-machine-safety",
] as const;

/** Hosts do what the cluster has not decided: each of these oracles sees some of it. */
const FLEET_HARM = [
  "begun-once",
  "desired-runs",
  "host-capacity",
  "keeps-lease",
  "leases",
  "leases-waited-for",
  "liveness",
  "no-orphans",
  "one-attempt",
  "one-place",
  "seen-gone",
  "truly-running",
  "waits-for-worker",
] as const;

const ROWS = [
  {
    act: "equivocation",
    to: "members",
    summary: "As leader it tells a minority another content for an index, properly chained, and then goes on honestly.",
    outcomes: ["believed", "evicted", "failStop", "found"],
    mustShow:
      "twoContents (or a halt with truncateCommitted), when one who holds the one content is shown the other by " +
      "the liar itself",
    oracles: DIVERGENCE,
    aftermath: [],
    why:
      "Entries of a term come from its one leader, so two chains for one (index, term) from that leader convict " +
      "it. If it loses leadership before the two contents meet, one of its victims may be elected with the " +
      "content that was not committed: then the others stop themselves, or an oracle sees the loss.",
  },
  {
    act: "rewrite-committed",
    to: "members",
    summary: "As leader it shows one follower another history, properly chained, for an index that is committed there.",
    outcomes: ["evicted", "failStop"],
    mustShow:
      "a halt with truncateCommitted, when an append from the elected leader contradicts what is committed " +
      "here; twoContents, when both are of its own term",
    oracles: [],
    aftermath: [],
    why:
      "Of its own term both contents come from it, which convicts it. Otherwise either this leader lies or what " +
      "was committed here was a lie: no node can tell which from inside, so it stops with the evidence.",
  },
  {
    act: "premature-commit",
    to: "members",
    summary: "As leader it announces as committed what no quorum holds yet.",
    outcomes: ["inert", "believed", "found", "failStop"],
    mustShow: null,
    oracles: DIVERGENCE,
    aftermath: [],
    why:
      "Followers take the commit index on the leader's word; a proof for each would cost a quorum's signatures " +
      "for each commit. Harmless where a quorum happens to hold it.",
  },
  {
    act: "two-votes",
    to: "members",
    summary:
      "It grants pre-votes and votes, signed, to every candidate of a term, and as leader orders two followers " +
      "at once to campaign.",
    outcomes: ["believed", "evicted", "failStop", "found"],
    mustShow:
      "doubleVote, when a candidate that holds the liar's vote is shown another's election with the liar's vote in it",
    oracles: ["election-safety", ...DIVERGENCE],
    aftermath: [],
    why:
      "Both signatures together convict it. But two votes can elect two leaders in one term before the two " +
      "signatures meet, which majority quorums cannot prevent: election-safety then sees it.",
  },
  {
    act: "fake-leader",
    to: "members",
    summary:
      "It sends appends and heartbeats of a later term with a certificate that it made up, with another " +
      "leader's, and with none.",
    outcomes: ["evicted"],
    mustShow:
      "forgedCertificate, when a certificate that the liar made up or borrowed arrives in a term that is not over",
    oracles: [],
    aftermath: [],
    why:
      "An election is proven by a quorum's signatures, and the liar can make none but its own. Without a " +
      "certificate it is merely refused.",
  },
  {
    act: "wrong-term",
    to: "members",
    summary:
      "It inflates the term of what it says: responses and requests, without a proof, with the proof of another term.",
    outcomes: ["inert", "evicted"],
    mustShow: "forgedCertificate, when a response of a later term carries the proof of another one",
    oracles: [],
    aftermath: [],
    why:
      "Terms rise by certificates alone. A term without one is not followed, and a proof for another term is a " +
      "forgery.",
  },
  {
    act: "term-rush",
    to: "members",
    summary:
      "It asks for pre-votes for a term that lies far ahead, and for votes in it once it has a quorum's. As leader it " +
      "says nothing for a while before, so that nobody refuses it for a leader's sake.",
    outcomes: ["inert", "believed"],
    mustShow: "refusal, when one who follows nobody is asked for a pre-vote for that term",
    oracles: [],
    aftermath: [],
    why:
      "Numbers of terms are finite: a member that could leap would soon leave none to elect anybody in. So a " +
      "pre-vote is signed only for the term after one that is known here or proven by the candidate.",
  },
  {
    act: "corrupt-message",
    to: "members",
    summary: "It damages the bytes of frames that it sends, and sends frames that are whole but say nonsense.",
    outcomes: ["inert", "believed", "evicted"],
    mustShow:
      "malformedAppend for entries that do not form the chain they claim, forgedSignature for a granted vote " +
      "whose signature does not verify",
    oracles: [],
    aftermath: [],
    why: "A checksum finds damage, and each field is checked for range at decoding and for sense when it is used.",
  },
  {
    act: "replay",
    to: "members",
    summary: "It sends again what it said before, and under its own connection what others said to it.",
    outcomes: ["inert", "believed", "evicted"],
    mustShow:
      "impersonation, when another's message comes over the liar's connection to the one whom it names as addressee",
    oracles: [],
    aftermath: [],
    why:
      "The sender is who the connection proves. Its own old words are as harmless as a slow network's; " +
      "another's election or proof, shown as its own, is taken for the forgery that it is.",
  },
  {
    act: "identity-forgery",
    to: "members",
    summary: "It names another member as the sender of what it says.",
    outcomes: ["inert"],
    mustShow: "impersonation, at every honest member that it tries this on",
    oracles: [],
    aftermath: [],
    why: "The sender is who the connection proves, never a field of the message.",
  },
  {
    act: "silence",
    to: "members",
    summary: "It hears everything and says nothing, for seconds at a time, and mostly when it leads.",
    outcomes: ["inert", "believed"],
    mustShow: null,
    oracles: [],
    aftermath: [],
    why:
      "Nobody can tell it from a crash, and a crash of a minority is what Raft is made for: others elect " +
      "another leader.",
  },
  {
    act: "selective-silence",
    to: "members",
    summary: "It says nothing to some, or nothing of some kinds: acknowledgements, votes, appends, heartbeats.",
    outcomes: ["inert", "believed"],
    mustShow: null,
    oracles: [],
    aftermath: [],
    why: "Nobody can tell it from a network that loses messages on some links.",
  },
  {
    act: "lying-acknowledgement",
    to: "members",
    summary: "It acknowledges entries beyond what it was sent, with a chain that it made up.",
    outcomes: ["evicted"],
    mustShow: "lyingAcknowledgement, when the leader of that very term compares the chain with its own",
    oracles: [],
    aftermath: [],
    why: "An acknowledgement names the chain at its index, and nobody knows the chain of what it has not seen.",
  },
  {
    act: "unstored-acknowledgement",
    to: "members",
    summary: "It acknowledges entries that it has seen and does not store.",
    outcomes: ["inert", "believed", "found", "failStop"],
    mustShow: null,
    oracles: DIVERGENCE,
    aftermath: [],
    why:
      "What is on somebody else's disk cannot be seen from outside. The simulator looks at the disks, and finds a " +
      "commit without a quorum behind it.",
  },
  {
    act: "forged-snapshot",
    to: "members",
    summary:
      "It sends snapshot chunks that nobody elected it to send, and as leader content without the announced digest.",
    outcomes: ["inert", "evicted"],
    mustShow:
      "forgedSnapshot for content without the announced digest, forgedCertificate for an election that it made up",
    oracles: [],
    aftermath: [],
    why:
      "A snapshot is taken from the elected leader alone, and not before its content has been checked against its " +
      "digest.",
  },
  {
    act: "consistent-forged-snapshot",
    to: "members",
    summary: "As leader it sends a snapshot of another state, with the right digest for it.",
    outcomes: ["found", "failStop"],
    mustShow: "the harm: whoever installs it holds a state that was never agreed upon",
    oracles: ["latest-configuration", ...DIVERGENCE],
    aftermath: ["byzantine-verdict", "liveness"],
    why:
      "A follower takes the state on the elected leader's word. Proof would need a quorum's signatures over each " +
      "snapshot. Whoever holds the forgery contradicts the others from then on: honest nodes evict each other over " +
      "it, and may be too few in the end to elect a leader.",
  },
  {
    act: "forged-join",
    to: "members",
    summary:
      "It introduces a ghost by a lineage that it made up, and the ghost speaks as a would-be member over a " +
      "connection of its own.",
    outcomes: ["inert"],
    mustShow:
      "forgedLineage, when a link that continues the present configuration arrives; impersonation, when the " +
      "ghost takes a member's id",
    oracles: [],
    aftermath: [],
    why:
      "A configuration follows from the one before by signatures of both its halves. Whoever is in none is asked " +
      "who it is, and not listened to.",
  },
  {
    act: "false-answer",
    to: "members",
    summary: "While it does not lead it answers reads and proposals of others as if it had been asked.",
    outcomes: ["inert"],
    mustShow: "refusal, when it answers a request that waits for another leader's answer",
    oracles: [],
    aftermath: [],
    why: "Answers count only from the leader that was asked.",
  },
  {
    act: "false-leader-answer",
    to: "members",
    summary:
      "As leader it confirms followers' reads without asking anybody, and takes another's entry for the one " +
      "that they proposed.",
    outcomes: ["inert", "believed", "found"],
    mustShow: null,
    oracles: ["acknowledged-durable", "linearizability", "read-freshness", "sessions"],
    aftermath: [],
    why:
      "A follower takes the read index, and where its proposal went, on the leader's word. It answers its clients on " +
      "that word. Mostly it has applied more than that by itself, and the answer is right.",
  },
  {
    act: "joiner-introduction",
    to: "joiners",
    summary: "It introduces itself to newcomers by a made-up link, after which it alone has a vote.",
    outcomes: ["inert"],
    mustShow: "forgedLineage, when the link continues the configuration by which the newcomer acts",
    oracles: [],
    aftermath: [],
    why: "A newcomer checks a link as every member does, from the configuration on that it started with.",
  },
  {
    act: "joiner-start",
    to: "joiners",
    summary: "As leader that admits a member it has that start by a configuration in which the liar alone has a vote.",
    outcomes: ["believed", "found", "failStop"],
    mustShow: "the harm: the newcomer listens to nobody else, and never takes part in the cluster",
    oracles: ["latest-configuration", "liveness", ...DIVERGENCE],
    aftermath: [],
    why:
      "Who joins trusts the configuration that the member sends whom it asks. It could be proven by the links since " +
      "the cluster was made, to one who knows how that began.",
  },
  {
    act: "joiner-snapshot",
    to: "joiners",
    summary:
      "As leader it sends, in place of the snapshot that a newcomer needs, that of another state, at its true index.",
    outcomes: ["found", "failStop"],
    mustShow: "the harm: whoever installs it holds a state that was never agreed upon",
    oracles: DIVERGENCE,
    aftermath: ["byzantine-verdict", "liveness"],
    why:
      "As with consistent-forged-snapshot, the digest is the leader's word. Here the chain is the true one, so that " +
      "all later entries fit, and nobody is evicted over it.",
  },
  {
    act: "joiner-membership",
    to: "joiners",
    summary: "As leader it sends a true snapshot with another configuration, in which others have no vote.",
    outcomes: ["believed", "found", "failStop"],
    mustShow: null,
    oracles: ["latest-configuration", "liveness", ...DIVERGENCE],
    aftermath: [],
    why: "The configuration of a snapshot is not covered by its digest, and is taken on the elected leader's word.",
  },
  {
    act: "worker-lease",
    to: "workers",
    summary:
      "It answers a worker by a lease that no quorum has confirmed, and has it report to the liar alone from then on.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: FLEET_HARM,
    aftermath: [],
    why:
      "A directive is taken from whatever server was asked. The leader hears nothing of the worker, and " +
      "declares it lost; but the worker goes on.",
  },
  {
    act: "worker-assignment",
    to: "workers",
    summary:
      "It answers a worker by an assignment of nothing, or of what others are to run, that is newer than the true one.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: FLEET_HARM,
    aftermath: [],
    why:
      "An assignment is taken by the index of the log that it claims, and nothing proves that an entry has made " +
      "it so.",
  },
  {
    act: "worker-stale",
    to: "workers",
    summary: "It keeps news of the assignment to itself, and passes on the lease.",
    outcomes: ["inert", "believed"],
    mustShow: null,
    oracles: [],
    aftermath: [],
    why: "The worker goes on with what it has. To the leader it looks like a worker that is slow.",
  },
  {
    act: "worker-removal",
    to: "workers",
    summary: "It tells a worker that it was removed for ever.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: ["begun-once"],
    aftermath: [],
    why:
      "The worker ends and deletes all that it has, and its agent ends as well: to the cluster it looks like a host " +
      "that is lost. A run of which nobody had been told yet begins once more when the agent is back.",
  },
  {
    act: "worker-silence",
    to: "workers",
    summary: "It hears reports and does not answer.",
    outcomes: ["inert", "believed"],
    mustShow: null,
    oracles: [],
    aftermath: [],
    why: "A worker asks another server after a second, well within its lease.",
  },
  {
    act: "false-report",
    to: "workers",
    summary: "It passes on reports in which the worker's machines are gone, or all run.",
    outcomes: ["inert", "believed", "found"],
    mustShow: null,
    oracles: FLEET_HARM,
    aftermath: [],
    why: "A report is taken from whatever server passes it on: the worker does not sign it.",
  },
  {
    act: "client-read",
    to: "clients",
    summary: "It answers reads of clients by a state that is over, or says that a VM does not exist.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: ["as-modelled", "linearizability", "read-freshness"],
    aftermath: [],
    why: "A client asks one member and takes its word for what the state is.",
  },
  {
    act: "client-write",
    to: "clients",
    summary: "It tells clients that what they asked for is done, and does nothing.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: ["acknowledged-durable", "exactly-once", "linearizability", "read-freshness", "sessions"],
    aftermath: [],
    why: "An answer names its entry, and nothing proves that a quorum has committed it.",
  },
  {
    act: "client-refusal",
    to: "clients",
    summary: "It refuses what clients ask for, as if without effect, and carries it out.",
    outcomes: ["believed", "found"],
    mustShow: null,
    oracles: ["linearizability"],
    aftermath: [],
    why:
      "A client takes the one member's word that nothing has happened, and will. Within a session it may ask " +
      "another member again, and hears of the first effect.",
  },
  {
    act: "client-hint",
    to: "clients",
    summary: "It refuses to serve clients, and names as leader who is none.",
    outcomes: ["believed"],
    mustShow: null,
    oracles: [],
    aftermath: [],
    why: "A client asks another member, and each knows by itself who leads. It costs time.",
  },
  {
    act: "client-events",
    to: "clients",
    summary:
      "It leaves events out of the stream that it tells clients, or repeats some, or says that it has come further.",
    outcomes: ["believed", "found"],
    mustShow: null,
    // It answers at once, by what it has.
    oracles: ["as-modelled", "read-freshness"],
    aftermath: [],
    why: "Events carry no proof of the entry that they are of, nor that there was none between two of them.",
  },
] as const satisfies readonly Omit<ActVerdict, "expected">[];

export type ActName = (typeof ROWS)[number]["act"];

const NAMES: Readonly<Record<Outcome, string>> = {
  inert: "inert",
  believed: "believed without harm",
  evicted: "evicted",
  failStop: "fail-stop with evidence",
  found: "outside the model, found by an oracle",
};

export function describeOutcomes(outcomes: readonly Outcome[]): string {
  return outcomes.map((outcome) => NAMES[outcome]).join(", or ");
}

export const VERDICTS: readonly (ActVerdict & { readonly act: ActName })[] = ROWS.map((row) => ({
  ...row,
  expected: describeOutcomes(row.outcomes),
}));

export const ACT_NAMES: readonly ActName[] = ROWS.map(({ act }) => act);

/** The acts that lie to that audience. */
export function actsTo(audience: Audience): readonly ActName[] {
  return VERDICTS.filter(({ to }) => to === audience).map(({ act }) => act);
}

export function verdictOf(act: ActName): ActVerdict {
  const found = VERDICTS.find((verdict) => verdict.act === act);
  if (found === undefined) throw new RangeError(`there is no act ${act}`);
  return found;
}
