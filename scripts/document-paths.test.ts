/** What the documents say about the code exists: paths, and functions named as `path#name`. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rooms = "core|runtime-sim|runtime-real|scenarios|cli|scripts|bench|docs|monitoring|nix";

/** A whole code span that is a path from the root, perhaps with a name behind it. */
const pathSpan = new RegExp(`^((?:${rooms})/[\\w./-]*)(?:#([\\w.]+))?$`);

/** The spans of a document that name what does not exist. */
function stale(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].flatMap(([, span = ""]) => {
    const [, path, name] = pathSpan.exec(span) ?? [];
    if (path === undefined) return [];
    if (!existsSync(join(root, path))) return [span];
    return name === undefined || declares(readFileSync(join(root, path), "utf8"), name) ? [] : [span];
  });
}

/** Whether a source declares the name: a function, a constant, a type, a class, or a member of one. */
function declares(source: string, name: string): boolean {
  const declaration = `(?:export |default |async |abstract )*(?:function\\*?|const|let|class|interface|type) ${name}\\b`;
  const modifiers = "(?:private |readonly |static |get |async |\\*)*";
  // A call would end with a semicolon.
  const method = `  ${modifiers}#?${name}(?:<[^>\\n]*>)?\\([^\\n]*(?<!;)$`;
  const field = `  ${modifiers}#?${name}[?]?(?::| =)`;
  return new RegExp(`^(?: *${declaration}|${method}|${field})`, "m").test(source);
}

test.each(["docs/ARCHITECTURE.md", "docs/glossary.md", "CONTRIBUTING.md", "README.md"])(
  "%s names only what exists",
  (document) => {
    expect(stale(readFileSync(join(root, document), "utf8"))).toEqual([]);
  },
);

test("a path or a name that does not exist is found", () => {
  expect(stale("`core/nowhere.ts`, `scripts/walls/project.ts#breaches`, `core/raft/`, `npm test`")).toEqual([
    "core/nowhere.ts",
  ]);
  expect(stale("`scripts/walls/imports.ts#importComplaint` and `scripts/walls.ts#nobody`")).toEqual([
    "scripts/walls.ts#nobody",
  ]);
  expect(stale("`core/node/node.ts#step` and `core/node/node.ts#steps`")).toEqual(["core/node/node.ts#steps"]);
});
