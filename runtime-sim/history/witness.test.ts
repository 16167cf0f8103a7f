import { expect, test } from "vitest";
import { type RegisterInput, register, type Scalar } from "./register.ts";
import { type PlacedOperation, Witness } from "./witness.ts";

type Placed = PlacedOperation<RegisterInput, Scalar>;

const write = (value: Scalar, position: number, floor = 0): Placed => {
  return { input: { f: "write", value }, answer: { output: value }, position, floor, isRead: false };
};
const read = (value: Scalar, position: number, floor = 0): Placed => {
  return { input: { f: "read" }, answer: { output: value }, position, floor, isRead: true };
};

function places(...operations: readonly Placed[]): boolean {
  const witness = new Witness(register());
  return operations.every((operation) => witness.place(operation));
}

test("an order that the model allows", () => {
  expect(places(read(null, 1), write(1, 2), read(1, 3), read(1, 3, 3), write(2, 4, 3), read(2, 5, 4))).toBe(true);
});

test("an answer that the model does not give there", () => {
  expect(places(write(1, 2), read(null, 3))).toBe(false);
});

test("an operation before what had returned when it was called", () => {
  expect(places(write(1, 2), read(1, 3, 4))).toBe(false);
  expect(places(write(1, 2), write(2, 4, 4))).toBe(false);
});

test("what nobody was told of takes effect, or has none", () => {
  const swap: Placed = {
    input: { f: "cas", from: 1, to: 2 },
    answer: null,
    position: 4,
    floor: 0,
    isRead: false,
  };
  expect(places(write(1, 2), swap, read(2, 5))).toBe(true);
  expect(places(write(3, 2), swap, read(3, 5))).toBe(true);
});
