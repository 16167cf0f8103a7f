/** What the documents say about the code is so: paths, functions named as `path#name`, and the arrows of a diagram. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rooms = "core|runtime-sim|runtime-real|scenarios|cli|scripts|bench|docs";

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

const documents = [...globSync("*.md", { cwd: root }), ...globSync("docs/*.md", { cwd: root })].sort();

test.each(documents)("%s names only what exists", (document) => {
  expect(stale(readFileSync(join(root, document), "utf8"))).toEqual([]);
});

test("a path or a name that does not exist is found", () => {
  expect(stale("`core/nowhere.ts`, `scripts/walls/project.ts#breaches`, `core/raft/`, `npm test`")).toEqual([
    "core/nowhere.ts",
  ]);
  expect(stale("`scripts/walls/imports.ts#importComplaint` and `scripts/walls.ts#nobody`")).toEqual([
    "scripts/walls.ts#nobody",
  ]);
  expect(stale("`core/node/node.ts#step` and `core/node/node.ts#steps`")).toEqual(["core/node/node.ts#steps"]);
});

/** The arrows of the diagram that names all of these, each as "from to". */
function arrowsOf(...names: readonly string[]): string[] {
  const text = readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8");
  const diagrams = [...text.matchAll(/^```mermaid\n([\s\S]*?)^```/gm)].map(([, diagram = ""]) => diagram);
  const diagram = diagrams.find((one) => names.every((name) => new RegExp(`^\\s*${name}\\b`, "m").test(one))) ?? "";
  const arrow = /^\s*([\w-]+)(?:\[[^\]]*\])?\s*-->\s*([\w-]+)/gm;
  return [...diagram.matchAll(arrow)].map(([, from, to]) => `${from} ${to}`);
}

/** Whether the arrows lead from one to the other. */
function leads(arrows: readonly string[], from: string, to: string): boolean {
  return arrows.some((arrow) => {
    const [start = "", end = ""] = arrow.split(" ");
    return start === from && (end === to || leads(arrows, end, to));
  });
}

test("the diagram of core's folders shows the imports that there are, and no others", () => {
  const imports = new Set<string>();
  for (const path of globSync("core/*/**/*.ts", { cwd: root })) {
    if (path.endsWith(".test.ts") || path.includes("/testing")) continue;
    const [, folder = ""] = path.split("/");
    for (const [, specifier = ""] of readFileSync(join(root, path), "utf8").matchAll(/ from "(\.[^"]+)"/g)) {
      const [, other = "", ...rest] = posix.join(posix.dirname(path), specifier).split("/");
      if (other !== folder && rest.length > 0) imports.add(`${folder} ${other}`);
    }
  }
  const arrows = arrowsOf("schema", "orchestrator");
  expect(arrows.filter((arrow) => !imports.has(arrow))).toEqual([]);
  const missing = [...imports].filter((one) => {
    const [from = "", to = ""] = one.split(" ");
    return !leads(arrows, from, to);
  });
  expect(missing).toEqual([]);
});
