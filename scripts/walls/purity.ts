/** What has no place in a pure room: async, ambient types, Math that engines round differently, locale. */
import { Visitor } from "oxc-parser";
import { type Breach, breachAt, type Source } from "./source.ts";

/** Exact, or correctly rounded, by the language's definition. All others may differ from engine to engine. */
const exactMath = new Set(
  "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(" "),
);

const localeDependent = /^(localeCompare|toLocale[A-Z]\w*)$/;
const wallSwitch = /@ts-(ignore|expect-error|nocheck)|biome-ignore.*(noRestrictedGlobals|noNodejsModules|noConsole)/;
const tripleSlash = /^\/\s*<reference\b/;

/** @param source of a pure room, and no test. */
export function purityBreaches(source: Source): Breach[] {
  const { path, program, comments } = source;
  const found: Breach[] = [];
  const report = (offset: number, message: string): void => {
    found.push(breachAt(source, offset, message));
  };

  if (!/(?<!\.d)\.ts$/.test(path)) report(0, "a pure room holds .ts files only, so that the compiler sees all of it");

  for (const comment of comments) {
    if (wallSwitch.test(comment.value)) report(comment.start, "a comment that switches a wall off");
    if (comment.type === "Line" && tripleSlash.test(comment.value))
      report(comment.start, "a reference that brings in types from outside");
  }

  const exactMathAt = new Set<number>();
  const refuseAsync = (node: { start: number; async: boolean }): void => {
    if (node.async) report(node.start, "async: everything here is synchronous");
  };
  const refuseAmbient = (node: { start: number; declare?: boolean }): void => {
    if (node.declare === true)
      report(node.start, "an ambient declaration: it claims a global that this room must not have");
  };
  const refusePower = (node: { start: number; end: number }): void => {
    report(node.start, "** may differ from engine to engine: multiply, or write the constant");
  };

  new Visitor({
    FunctionDeclaration: refuseAsync,
    FunctionExpression: refuseAsync,
    ArrowFunctionExpression: refuseAsync,
    AwaitExpression: (node) => report(node.start, "await: everything here is synchronous"),
    ForOfStatement: (node) => {
      if (node.await) report(node.start, "for await: everything here is synchronous");
    },
    VariableDeclaration: refuseAmbient,
    TSDeclareFunction: refuseAmbient,
    ClassDeclaration: refuseAmbient,
    TSModuleDeclaration: refuseAmbient,
    MemberExpression: (node) => {
      if (node.computed) {
        if (node.property.type === "Literal" && localeDependent.test(String(node.property.value)))
          report(node.start, `${node.property.value} depends on the machine's locale`);
        return;
      }
      if (node.object.type === "Identifier" && node.object.name === "Math" && exactMath.has(node.property.name))
        exactMathAt.add(node.object.start);
    },
    Identifier: (node) => {
      if (node.name === "Math" && !exactMathAt.has(node.start))
        report(node.start, `of Math only what is exact everywhere: ${[...exactMath].join(", ")}`);
      if (localeDependent.test(node.name)) report(node.start, `${node.name} depends on the machine's locale`);
    },
    BinaryExpression: (node) => {
      if (node.operator !== "**") return;
      const { left, right } = node;
      const isExact =
        left.type === "Literal" &&
        right.type === "Literal" &&
        Number.isSafeInteger(left.value) &&
        Number.isSafeInteger(right.value) &&
        Number.isSafeInteger(Number(left.value) ** Number(right.value));
      if (!isExact) refusePower(node);
    },
    AssignmentExpression: (node) => {
      if (node.operator === "**=") refusePower(node);
    },
  }).visit(program);

  return found;
}
