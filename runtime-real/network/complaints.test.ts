import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Complaints } from "./complaints.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one warning in ten seconds, which says how often there was rubbish", () => {
  const warned: unknown[] = [];
  const complaints = new Complaints({ warn: (...words: unknown[]) => void warned.push(words) });
  complaints.undecodable("first");
  complaints.undecodable("second");
  vi.advanceTimersByTime(9_999);
  complaints.complain("third");
  expect(warned).toEqual([[{ undecodable: 1 }, "first"]]);
  vi.advanceTimersByTime(1);
  complaints.undecodable("fourth");
  expect(warned[1]).toEqual([{ undecodable: 3 }, "fourth"]);
});
