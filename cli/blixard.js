#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for main.ts can still read this file and say what it needs.

const nodeMajorMin = 24;

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  console.error(
    `blixard needs Node ${nodeMajorMin} or newer and this is ${process.version}: run "npm install" in the checkout, which brings its own, then "npx blixard" or "npm run".`,
  );
  process.exit(1);
}

// Half of the start-up time is compilation: keep what this start compiles for the next one.
const { enableCompileCache } = await import("node:module");
enableCompileCache();

await import("./main.ts");
