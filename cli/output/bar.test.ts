import { expect, test } from "vitest";
import { bar } from "./bar.ts";
import { type Paint, plain } from "./terminal.ts";

test("a bar shows a share, and the little and the nearly full as what they are", () => {
  expect(bar(0, 10, 5, plain)).toBe("░░░░░   0%");
  expect(bar(1, 1000, 5, plain)).toBe("█░░░░   0%");
  expect(bar(5, 10, 5, plain)).toBe("███░░  50%");
  expect(bar(999, 1000, 5, plain)).toBe("████░ 100%");
  expect(bar(10, 10, 5, plain)).toBe("█████ 100%");
  // More than can be promised: the worker has shrunk, or the settings have changed.
  expect(bar(15, 10, 5, plain)).toBe("█████ 150%");
  expect(bar(0, 0, 5, plain)).toBe("░░░░░   0%");
  expect(bar(1, 0, 5, plain)).toBe("█████ 100%");
});

test("it is yellow from three quarters on, and red from nine tenths", () => {
  const colours: unknown[] = [];
  const paint: Paint = (style, text) => {
    colours.push(style);
    return text;
  };
  for (const part of [74, 75, 89, 90]) bar(part, 100, 5, paint);
  expect(colours).toEqual(["green", "yellow", "yellow", "red"]);
});
