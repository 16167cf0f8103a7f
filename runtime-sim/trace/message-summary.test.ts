import { expect, test } from "vitest";
import {
  type Entry,
  encodeConfigurationRecord,
  encodeRequest,
  type Message,
  stampRequest,
  vmSpec,
} from "../../core/index.ts";
import { VALUE_KEY } from "../workload/index.ts";
import { messageSummary } from "./message-summary.ts";

const HEADER = { clusterId: "simulated", incarnation: 1, from: 1, to: 2, term: 7 } as const;
const CERTIFICATE = {
  kind: "election",
  term: 7,
  candidate: 1,
  signatures: [
    { id: 1, signature: "one" },
    { id: 3, signature: "three" },
  ],
} as const;
const CREATE = { kind: "createVm", name: "web", spec: vmSpec({ metadata: { [VALUE_KEY]: "17" } }) } as const;

function entry(index: number, kind: Entry["kind"], data: Uint8Array): Entry {
  return { index, term: 7, kind, data, chain: `chain-${index}` };
}

test("an append shows what it follows, what it commits, and what its entries are and ask for", () => {
  const member = { id: 1, peerId: "peer-1", promote: false };
  const configuration = { voters: [1], outgoing: [], learners: [], members: [member], retired: [] };
  const request = encodeRequest({ session: null, command: CREATE });
  const append: Message = {
    ...HEADER,
    type: "append",
    prevIndex: 4,
    prevTerm: 6,
    prevChain: "chain-4",
    entries: [
      entry(5, "noop", new Uint8Array(0)),
      entry(6, "command", stampRequest(request, { wallMs: 0, proposer: 1 })),
      entry(7, "configuration", encodeConfigurationRecord({ configuration, link: null })),
      entry(8, "command", new Uint8Array([1, 2, 3])),
      entry(9, "configuration", new Uint8Array([1, 2, 3])),
    ],
    commit: 3,
    certificate: CERTIFICATE,
  };
  expect(messageSummary(append)).toEqual({
    type: "append",
    from: 1,
    to: 2,
    term: 7,
    prevIndex: 4,
    prevTerm: 6,
    prevChain: "chain-4",
    entries: [
      { index: 5, term: 7, kind: "noop" },
      { index: 6, term: 7, kind: "command", asks: "createVm web = 17" },
      { index: 7, term: 7, kind: "configuration", members: "voters 1" },
      { index: 8, term: 7, kind: "command", asks: "what cannot be read" },
      { index: 9, term: 7, kind: "configuration", members: "what cannot be read" },
    ],
    commit: 3,
    certificate: { kind: "election", term: 7, candidate: 1, signatures: [1, 3] },
  });
});

test("what is not attached is left out, and null is kept where it is an answer", () => {
  expect(messageSummary({ ...HEADER, type: "heartbeat", commit: 3, round: 12 })).toMatchObject({
    commit: 3,
    round: 12,
  });
  const response = {
    ...HEADER,
    type: "appendResponse",
    outcome: "mismatch",
    matchIndex: 4,
    matchChain: "chain",
  } as const;
  expect(messageSummary({ ...response, hintIndex: 2, hintTerm: 1, proof: null, endorsement: null })).toEqual({
    type: "appendResponse",
    from: 1,
    to: 2,
    term: 7,
    outcome: "mismatch",
    matchIndex: 4,
    matchChain: "chain",
    hintIndex: 2,
    hintTerm: 1,
  });
  expect(messageSummary({ ...HEADER, type: "readIndexResponse", requestId: 5, index: null })).toMatchObject({
    requestId: 5,
    index: null,
  });
});

test("a forwarded request shows what it asks for, and how many bytes it has", () => {
  const data = encodeRequest({ session: null, command: CREATE });
  expect(messageSummary({ ...HEADER, type: "forward", requestId: 5, data })).toMatchObject({
    data: `${data.length} bytes`,
    asks: "createVm web = 17",
  });
  expect(messageSummary({ ...HEADER, type: "forward", requestId: 5, data: new Uint8Array([9]) })).toMatchObject({
    asks: "what cannot be read",
  });
});
