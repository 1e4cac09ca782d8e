/** What a profile says about each system call, independent of any architecture. */
import { invalidArgument } from "#errdefs";
import type { SeccompCondition, SeccompProfile } from "#spec";
import { actionValue } from "./actions.ts";

/** Decides for `value` when all conditions hold. */
export interface Alternative {
  readonly conditions: readonly SeccompCondition[];
  readonly value: number;
}

/** What to do for one system call: the first alternative whose conditions hold decides. */
export interface Decision {
  /** Empty when the decision does not depend on arguments. */
  readonly alternatives: readonly Alternative[];
  readonly otherwise: number;
  /** The profile has a rule without conditions. */
  readonly fixed: boolean;
}

/**
 * Decisions by name, for each name in a profile.
 *
 * The first rule without conditions decides; without such, the first rule whose conditions all hold; without such, the
 * default. A rule whose action is the default one counts for nothing, and conditions of one rule on the same argument are
 * alternatives: both as with runc and crun, whose profiles rely on it.
 *
 * @throws SampanError `invalid-argument` for two rules with the same conditions and different actions, as with libseccomp
 */
export function decisionsByName(profile: SeccompProfile): ReadonlyMap<string, Decision> {
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const drafts = new Map<string, Draft>();
  for (const { action, errnoRet, args, names } of profile.syscalls) {
    const value = actionValue(action, errnoRet);
    const lists = conditionLists(args);
    for (const name of names) {
      let draft = drafts.get(name);
      if (draft === undefined) drafts.set(name, (draft = { alternatives: new Map(), fixed: undefined }));
      if (value === otherwise || draft.fixed !== undefined) continue;
      if (lists.some((conditions) => conditions.length === 0)) draft.fixed = value;
      else for (const conditions of lists) addAlternative(draft.alternatives, { conditions, value }, name);
    }
  }
  const decisions = new Map<string, Decision>();
  for (const [name, { alternatives, fixed }] of drafts)
    decisions.set(
      name,
      fixed === undefined
        ? { alternatives: [...alternatives.values()], otherwise, fixed: false }
        : { alternatives: [], otherwise: fixed, fixed: true },
    );
  return decisions;
}

interface Draft {
  /** By the text of their conditions. */
  readonly alternatives: Map<string, Alternative>;
  fixed: number | undefined;
}

function addAlternative(alternatives: Map<string, Alternative>, added: Alternative, name: string): void {
  const text = conditionsText(added.conditions);
  const same = alternatives.get(text);
  if (same === undefined) alternatives.set(text, added);
  else if (same.value !== added.value)
    throw invalidArgument(
      `Cannot compile the seccomp profile: two rules for "${name}" have the same conditions and different actions`,
    );
}

const conditionsText = (conditions: readonly SeccompCondition[]): string =>
  conditions
    .map(({ index, op, value, valueTwo }) => `${index} ${op} ${value} ${valueTwo}`)
    .toSorted()
    .join();

/** Lists of which one must hold; an empty one always does. */
function conditionLists(args: readonly SeccompCondition[]): readonly (readonly SeccompCondition[])[] {
  const conditions = args.map(normalize);
  const twice = new Set(args.map(({ index }) => index)).size < args.length;
  const lists = twice ? conditions.map((condition) => [condition]) : [conditions];
  return lists.map((list) => list.filter(({ op, value }) => op !== "SCMP_CMP_MASKED_EQ" || value !== 0n));
}

/** What is compared with a masked argument is masked as well, as with libseccomp; the other operators have one value. */
const normalize = ({ index, op, value, valueTwo }: SeccompCondition): SeccompCondition => ({
  index,
  op,
  value,
  valueTwo: op === "SCMP_CMP_MASKED_EQ" ? valueTwo & value : 0n,
});

/** Text that is equal for equal decisions. */
export const decisionText = ({ alternatives, otherwise }: Decision): string =>
  `${otherwise} ${alternatives.map(({ conditions, value }) => `${value}:${conditionsText(conditions)}`).join("|")}`;
