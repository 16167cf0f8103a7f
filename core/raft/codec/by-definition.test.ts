/**
 * What definitions allow passes and comes back, what breaks one of their rules by a little is refused under the
 * field's name, and the messages that are written out by hand say the same as their definitions.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Breach, breaches, type Random, type Schema, valid } from "../../schema/index.ts";
import { FIELDS_MAX, InvalidFrame, open, type Packed, seal } from "../../wire/index.ts";
import { MESSAGES, type Message, type MessageOf, type MessageType, messageTypes } from "../messages.ts";
import { packByDefinition, readersByDefinition } from "./by-definition.ts";
import { isHot, packHot } from "./hot.ts";
import { decodeMessage, encodeMessage } from "./message.ts";

/** fast-check's numbers as a source of random numbers. */
const random: fc.Arbitrary<Random> = fc.infiniteStream(fc.nat(2 ** 31 - 1)).map((numbers) => (bound) => {
  const { value } = numbers.next();
  return Number(value) % bound;
});

function validMessage<Type extends MessageType>(type: Type, draw: Random): MessageOf<Type>;
function validMessage(type: MessageType, draw: Random): object {
  const { schema }: { schema: Schema<object> } = MESSAGES[type];
  return { type, ...valid(schema, draw) };
}

/** A body as its definition says, whatever the values: for what no typed message can hold. */
function bodyOf(type: MessageType, fields: object): Packed {
  const { number, schema }: { number: number; schema: Schema<unknown> } = MESSAGES[type];
  const written = schema.write(fields);
  return Array.isArray(written) ? [number, ...written] : [number];
}

function decodeByDefinition(frame: Uint8Array): Message {
  const reader = open(frame);
  reader.list("frame", FIELDS_MAX);
  const known = readersByDefinition.get(reader.natural("type"));
  if (known === undefined) throw new Error("an unknown type");
  const message = known.row.read(reader);
  reader.finish();
  return message;
}

/** What was refused; null when nothing was. */
function refusal(run: () => unknown): { field: string; limit: number | null } | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return { field: error.field, limit: error.limit };
  }
}

/** Breaks one field of a message that is valid otherwise, also by the rules between fields. */
function broken(type: MessageType, { field, value }: Breach, draw: Random): object {
  const name = topOf(field);
  const whole: unknown = value;
  const part: unknown = typeof whole === "object" && whole !== null ? Reflect.get(whole, name) : undefined;
  return { ...validMessage(type, draw), [name]: part };
}

function topOf(field: string): string {
  return /^\.(\w+)/.exec(field)?.[1] ?? "";
}

/** Fields that hold records or lists of them. */
const RECORDS = new Set(["certificate", "proof", "endorsement", "outcome", "meta", "entries", "links"]);

describe.each(messageTypes)("%s", (type) => {
  test("what its definition allows comes back", () => {
    fc.assert(
      fc.property(random, (draw) => {
        const message = validMessage(type, draw);
        const frame = encodeMessage(message);
        expect(decodeMessage(frame)).toEqual(message);
        expect(decodeByDefinition(frame)).toEqual(message);
      }),
    );
  });

  test("what breaks a bound of one field is refused under that field's name", () => {
    fc.assert(
      fc.property(random, (draw) => {
        for (const breach of breaches(MESSAGES[type].schema, draw)) {
          if (breach.field === "") continue;
          const frame = seal(bodyOf(type, broken(type, breach, draw)));
          const refused = refusal(() => decodeMessage(frame));
          if (refused === null) throw new Error(`${breach.field}, ${breach.what}, is not refused`);
          // Parts of named records go by those names, and what is drawn for a breach may break a rule between fields
          // too.
          if (!RECORDS.has(topOf(breach.field))) expect(refused.field, breach.what).toBe(topOf(breach.field));
        }
      }),
      { numRuns: 3 },
    );
  }, 60_000);
});

const hotTypes = messageTypes.filter((type) => isHot(validMessage(type, () => 0)));

test("the four messages of every round are written out by hand", () => {
  expect(hotTypes).toEqual(["append", "appendResponse", "heartbeat", "heartbeatResponse"]);
});

describe.each(hotTypes)("%s, by hand", (type) => {
  test("has the bytes of its definition", () => {
    fc.assert(
      fc.property(random, (draw) => {
        const message: Message = validMessage(type, draw);
        if (!isHot(message)) throw new Error(`${type} is not written out by hand`);
        expect(seal(packHot(message))).toEqual(seal(packByDefinition(message)));
      }),
      { numRuns: 500 },
    );
  });

  test("refuses what its definition refuses, in the same words", () => {
    fc.assert(
      fc.property(random, (draw) => {
        for (const breach of breaches(MESSAGES[type].schema, draw)) {
          if (breach.field === "") continue;
          const frame = seal(bodyOf(type, broken(type, breach, draw)));
          const byHand = refusal(() => decodeMessage(frame));
          expect(byHand).not.toBeNull();
          // By hand a gap among the entries is seen at once, and by definition after the last field.
          if (byHand?.field !== "entry.index") expect(byHand).toEqual(refusal(() => decodeByDefinition(frame)));
        }
      }),
      { numRuns: 5 },
    );
  }, 60_000);
});
