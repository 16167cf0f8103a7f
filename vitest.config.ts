import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    environment: "node",
    pool: "threads",
    maxWorkers: "100%",
    // A test that passes only at the second try is a finding, not a pass.
    retry: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
