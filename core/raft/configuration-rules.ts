/**
 * What must hold between the lists of a configuration, whoever sends it. Its bytes are signed and digested, so that
 * equal configurations must have equal bytes: hence the order.
 */
import { InvalidField } from "../schema/index.ts";

interface Member {
  readonly id: number;
  readonly peerId: string;
  readonly promote: boolean;
}

interface Lists {
  readonly voters: readonly number[];
  readonly outgoing: readonly number[];
  readonly learners: readonly number[];
  readonly members: readonly Member[];
  readonly retired: readonly Member[];
}

/** @throws InvalidField when lists are unsorted, repeat an id or an identity, or disagree with each other. */
export function checkConfiguration(configuration: Lists): void {
  checkRises(".voters", configuration.voters);
  checkRises(".outgoing", configuration.outgoing);
  checkRises(".learners", configuration.learners);
  checkMembersRise(".members", configuration.members);
  checkMembersRise(".retired", configuration.retired);
  checkMembersAreUnion(configuration);
  checkNobodyTwice(configuration);
}

function checkRises(field: string, ids: readonly number[]): void {
  let previous = 0;
  for (const id of ids) previous = risen(field, previous, id);
}

function checkMembersRise(field: string, members: readonly Member[]): void {
  let previous = 0;
  for (const { id } of members) previous = risen(field, previous, id);
}

function risen(field: string, previous: number, id: number): number {
  if (id <= previous) throw new InvalidField(field, null, `${id} after ${previous}: ids must rise`);
  return id;
}

/** All lists are sorted: one walk over the members meets everybody in the other three. */
function checkMembersAreUnion({ voters, outgoing, learners, members }: Lists): void {
  let voter = 0;
  let leaver = 0;
  let learner = 0;
  for (const { id } of members) {
    const votes = voters[voter] === id;
    const leaves = outgoing[leaver] === id;
    const learns = learners[learner] === id;
    if (votes && learns) throw new InvalidField(".learners", null, `${id} is a voter too`);
    if (!(votes || leaves || learns)) throw new InvalidField(".members", null, `${id} is in no other list`);
    if (votes) voter++;
    if (leaves) leaver++;
    if (learns) learner++;
  }
  const missing = voters[voter] ?? outgoing[leaver] ?? learners[learner];
  if (missing !== undefined) throw new InvalidField(".members", null, `${missing} is missing`);
}

/** Neither an id nor an identity stands for two, and who has left is no member. */
function checkNobodyTwice({ members, retired }: Lists): void {
  const identities = new Set<string>();
  let member = 0;
  for (const { id, peerId } of members) {
    if (identities.has(peerId)) throw new InvalidField("member.peerId", null, `${id} has another member's identity`);
    identities.add(peerId);
  }
  for (const { id, peerId } of retired) {
    if (identities.has(peerId))
      throw new InvalidField("member.peerId", null, `the retired ${id} has another's identity`);
    identities.add(peerId);
    while ((members[member]?.id ?? id) < id) member++;
    if (members[member]?.id === id) throw new InvalidField(".retired", null, `${id} is a member too`);
  }
}

/** The nearest configuration that obeys the rules, for tests: of whoever appears twice the first stays. */
export function repairConfiguration<C extends Lists>(configuration: C): C {
  const voters = rising(configuration.voters);
  const outgoing = rising(configuration.outgoing);
  const learners = rising(configuration.learners.filter((id) => !voters.includes(id)));
  const identities = new Set<string>();
  const everyone = rising([...voters, ...outgoing, ...learners]);
  const members = everyone.map((id, at): Member => {
    const drawn = configuration.members[at];
    const peerId = drawn === undefined || identities.has(drawn.peerId) ? `peer-${id}` : drawn.peerId;
    identities.add(peerId);
    return { id, peerId, promote: drawn?.promote ?? false };
  });
  const retired = configuration.retired
    .filter(({ id, peerId }, at, all) => {
      const isFirst = all.findIndex((other) => other.id === id || other.peerId === peerId) === at;
      return isFirst && !everyone.includes(id) && !identities.has(peerId);
    })
    .sort((a, b) => a.id - b.id);
  return { ...configuration, voters, outgoing, learners, members, retired };
}

function rising(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
