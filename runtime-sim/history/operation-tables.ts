/**
 * The operations of one segment in tables of integers: what each is, when it is called and returns, and which bit
 * stands for it in the words that say what is left. The search reads them for every configuration.
 */
import { at, item, type Memory } from "./configurations.ts";
import type { Model, Operation, OperationKind } from "./model.ts";
import type { Segment } from "./segment.ts";

const OTHER = 0;
export const OBSERVES = 1;
export const OVERWRITES = 2;
const KINDS: Readonly<Record<OperationKind, number>> = { other: OTHER, observes: OBSERVES, overwrites: OVERWRITES };

export class OperationTables<State, Input, Output> {
  operations: readonly Operation<Input, Output>[] = [];
  carried = 0;
  /** Operations that do not return in the segment. */
  open: number[] = [];

  // By operation. A return event of 0 means that it does not return in this segment.
  kind = new Uint8Array(0);
  /** The first of the operations that are alike. */
  alike = new Int32Array(0);
  callEvent = new Int32Array(0);
  private returnEvent = new Int32Array(0);
  deadline = new Float64Array(0);
  /** Its bit among the words that say what is left: operations that are open at once never share one. */
  bit = new Int32Array(0);
  private previousWithBit = new Int32Array(0);

  /** By event, from 1: the operation called, or the complement of the one that returns. */
  eventOperation = new Int32Array(0);
  lastEvent = 0;

  /** Words that say what is left: first those of operations whose reply is known. */
  words = 0;
  knownWords = 0;
  /** What the bits stand for before event `bitsEvent`. */
  private operationOfBit = new Int32Array(0);
  private bitsEvent = 0;

  /** What is left in the configuration that was read last. */
  left = new Int32Array(0);
  leftLength = 0;

  private readonly model: Model<State, Input, Output>;
  private readonly operationIds = new Map<string | number, number>();

  constructor(model: Model<State, Input, Output>) {
    this.model = model;
  }

  prepare({ operations, carried, events }: Segment<Input, Output>): void {
    this.operations = operations;
    this.carried = carried;
    this.lastEvent = carried + events.length;
    this.reserve(operations.length, this.lastEvent);
    this.operationIds.clear();
    this.open = [];
    for (let operation = 0; operation < operations.length; operation++) this.classify(operation);
    this.readEvents(carried, events);
    for (let operation = 0; operation < operations.length; operation++) {
      if (at(this.returnEvent, operation) === 0) this.open.push(operation);
    }
  }

  private classify(operation: number): void {
    const { input, reply } = item(this.operations, operation);
    this.kind[operation] = this.model.kind === undefined ? OTHER : KINDS[this.model.kind(input, reply)];
    this.deadline[operation] = reply === null ? Number.POSITIVE_INFINITY : reply.index;
    this.returnEvent[operation] = 0;
    if (this.model.operationKey === undefined) {
      this.alike[operation] = operation;
      return;
    }
    const key = this.model.operationKey(input, reply);
    const known = this.operationIds.get(key);
    if (known === undefined) this.operationIds.set(key, operation);
    this.alike[operation] = known ?? operation;
  }

  /**
   * Notes where each operation is called and returns, and gives it a bit: in the first words if its reply is known, in
   * further words if not.
   */
  private readEvents(carried: number, events: readonly number[]): void {
    const freeBits: number[] = [];
    let known = 0;
    let unknown = 0;
    for (let event = 1; event <= this.lastEvent; event++) {
      const code = event <= carried ? 2 * (event - 1) : events[event - carried - 1];
      if (code === undefined) throw new RangeError("history search: an event is missing");
      const operation = code >> 1;
      if ((code & 1) === 0) {
        this.callEvent[operation] = event;
        this.eventOperation[event] = operation;
        this.bit[operation] = this.isUnknown(operation) ? unknown++ : (freeBits.pop() ?? known++);
      } else {
        this.returnEvent[operation] = event;
        this.eventOperation[event] = ~operation;
        freeBits.push(at(this.bit, operation));
      }
    }
    const knownWords = (known + 31) >>> 5;
    if (unknown > 0) {
      for (let operation = 0; operation < this.operations.length; operation++) {
        if (this.isUnknown(operation)) this.bit[operation] = at(this.bit, operation) + 32 * knownWords;
      }
    }
    this.knownWords = knownWords;
    this.words = knownWords + ((unknown + 31) >>> 5);
    if (this.operationOfBit.length < 32 * this.words) this.operationOfBit = new Int32Array(64 * this.words);
    this.bitsEvent = 1;
  }

  private reserve(operations: number, events: number): void {
    if (this.kind.length < operations) {
      const size = Math.max(16, 2 * operations);
      this.kind = new Uint8Array(size);
      this.alike = new Int32Array(size);
      this.callEvent = new Int32Array(size);
      this.returnEvent = new Int32Array(size);
      this.deadline = new Float64Array(size);
      this.bit = new Int32Array(size);
      this.previousWithBit = new Int32Array(size);
      this.left = new Int32Array(size);
    }
    if (this.eventOperation.length <= events) this.eventOperation = new Int32Array(2 * events + 1);
  }

  /** Reads into `left` what is left in a configuration whose front is `front`. */
  readLeft(memory: Memory, row: number, front: number): void {
    this.seek(front);
    this.leftLength = 0;
    for (let word = 0; word < this.words; word++) {
      for (let bits = memory.word(row, word); bits !== 0; bits &= bits - 1) {
        const bit = 32 * word + 31 - Math.clz32(bits & -bits);
        this.left[this.leftLength] = at(this.operationOfBit, bit);
        this.leftLength += 1;
      }
    }
  }

  /** Moves to before an event, so that each bit stands for the operation that has it there. */
  private seek(event: number): void {
    for (; this.bitsEvent < event; this.bitsEvent++) {
      const operation = at(this.eventOperation, this.bitsEvent);
      if (operation < 0) continue;
      const bit = at(this.bit, operation);
      this.previousWithBit[operation] = at(this.operationOfBit, bit);
      this.operationOfBit[bit] = operation;
    }
    while (this.bitsEvent > event) {
      this.bitsEvent -= 1;
      const operation = at(this.eventOperation, this.bitsEvent);
      if (operation >= 0) this.operationOfBit[at(this.bit, operation)] = at(this.previousWithBit, operation);
    }
  }

  isUnknown(operation: number): boolean {
    return at(this.deadline, operation) === Number.POSITIVE_INFINITY;
  }

  /** Whether an operation that is left may stay so for ever. */
  isOptional(operation: number, covered: number): boolean {
    if (this.isUnknown(operation)) return true;
    return at(this.kind, operation) === OVERWRITES && at(this.callEvent, operation) <= covered;
  }

  canBeCovered(operation: number): boolean {
    return at(this.kind, operation) === OVERWRITES && !this.isUnknown(operation);
  }

  /** A total order, so that of operations alike it is always the same one that goes first. */
  isDueBefore(left: number, right: number): boolean {
    const leftDeadline = at(this.deadline, left);
    const rightDeadline = at(this.deadline, right);
    return leftDeadline === rightDeadline ? left < right : leftDeadline < rightDeadline;
  }
}
