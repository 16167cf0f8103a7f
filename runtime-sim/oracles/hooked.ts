/** Rules by the hooks that they have: whoever tells of something asks only those whom it concerns. */

/** One that has this hook. */
export type Hooked<Rule, Hook extends keyof Rule> = Rule & Required<Pick<Rule, Hook>>;

/** Those of `rules` that have the hook, in the same order. */
export function having<Rule, Hook extends keyof Rule>(
  rules: readonly Rule[],
  hook: Hook,
): readonly Hooked<Rule, Hook>[] {
  return rules.filter((rule): rule is Hooked<Rule, Hook> => rule[hook] !== undefined);
}
