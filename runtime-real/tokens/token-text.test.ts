import fc from "fast-check";
import { expect, test } from "vitest";
import { formatApiToken, formatJoinToken, hashSecret, InvalidToken, makeToken, parseToken } from "./token-text.ts";

test("a join token names its cluster and voters, and nobody else", () => {
  const token = makeToken();
  const text = formatJoinToken(token, "cluster-a", ["peer-1", "peer-2"]);
  const { id, secret, pins } = parseToken(text);
  expect({ id, secretHash: hashSecret(secret) }).toEqual({ id: token.id, secretHash: token.secretHash });
  expect([pins?.isCluster("cluster-a"), pins?.isCluster("cluster-b")]).toEqual([true, false]);
  expect(["peer-1", "peer-2", "peer-3", "cluster-a"].map((peer) => pins?.isVoter(peer))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("an API token has no pins", () => {
  const token = makeToken();
  expect(parseToken(formatApiToken(token))).toEqual({ id: token.id, secret: token.secret, pins: null });
});

test("two tokens never have a part in common", () => {
  const [one, two] = [makeToken(), makeToken()];
  expect(one.id).not.toBe(two.id);
  expect(one.secret).not.toBe(two.secret);
});

test("whatever the text, it is a token or InvalidToken", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((rest) => `blx.${rest}`),
        fc.stringMatching(/^blx\.[a-z0-9.]*$/),
      ),
      (text) => {
        try {
          parseToken(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidToken);
        }
      },
    ),
  );
});

test("a token cut short by copying is refused", () => {
  const text = formatJoinToken(makeToken(), "cluster-a", ["peer-1"]);
  for (let length = 0; length < text.length; length++) {
    if (text[length] === ".") continue;
    const cut = text.slice(0, length);
    // Cut before the pins it would be taken for an API token, which joins nothing.
    if (cut.split(".").length === 3 && cut.length === text.lastIndexOf(".")) continue;
    expect(() => parseToken(cut)).toThrow(InvalidToken);
  }
});
