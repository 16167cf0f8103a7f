/**
 * Text of others, such as what a guest has written, made safe for a terminal: nothing in it moves the cursor, changes
 * colours, answers for the user or turns the direction of text around.
 */

/** Controls, invisible format characters, and what terminals may take for the end of a line. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const DELETE = 0x7f;

/** Controls as `^[` and `^M`, other unsafe characters as `\u202e`. Tabs stay. */
export function visible(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\t") return character;
    if (code === DELETE) return "^?";
    return code < 0x20 ? `^${String.fromCharCode(code + 0x40)}` : escaped(character);
  });
}

/** JSON that says the same, with unsafe characters escaped, so that it may be shown as it is. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(UNSAFE, escaped);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
