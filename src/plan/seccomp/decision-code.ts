import { putCases, subjectOf, type Subject } from "./arguments.ts";
import type { BackwardAssembler, Label } from "./bpf.ts";
import { decisionText, type Alternative, type Decision } from "./rules.ts";

/** The code of decisions: equal ones, of calls that one rule names, share theirs. */
export class DecisionCode {
  readonly #program: BackwardAssembler;
  readonly #targets: { readonly decision: Decision; readonly narrow: boolean; label?: Label }[] = [];
  readonly #byText = new Map<string, number>();
  readonly #byDecision = [new Map<Decision, number>(), new Map<Decision, number>()] as const;

  constructor(program: BackwardAssembler) {
    this.#program = program;
  }

  /** A number for a decision, the same for equal ones. */
  target(decision: Decision, narrow: boolean): number {
    const known = this.#byDecision[narrow ? 1 : 0].get(decision);
    if (known !== undefined) return known;
    const text =
      decision.alternatives.length === 0 ? String(decision.otherwise) : `${narrow} ${decisionText(decision)}`;
    let target = this.#byText.get(text);
    if (target === undefined) {
      target = this.#targets.push({ decision, narrow }) - 1;
      this.#byText.set(text, target);
    }
    this.#byDecision[narrow ? 1 : 0].set(decision, target);
    return target;
  }

  put(target: number): Label {
    const entry = this.#targets[target];
    if (entry === undefined) throw new RangeError(`no target ${target}`);
    const { decision, narrow } = entry;
    // A return is put again where it is out of reach.
    if (decision.alternatives.length === 0) return this.#program.finish(decision.otherwise);
    return (entry.label ??= this.#putAlternatives(decision, narrow));
  }

  #putAlternatives({ alternatives, otherwise }: Decision, narrow: boolean): Label {
    const program = this.#program;
    let next = program.finish(otherwise);
    for (const run of runs(alternatives, narrow).toReversed()) {
      const after = next;
      if (run.subject !== undefined) {
        const cases = run.alternatives.flatMap(({ conditions, value }) =>
          conditions.map((condition) => ({ condition, put: () => program.finish(value) })),
        );
        next = putCases(program, run.subject, cases, narrow, after);
        continue;
      }
      for (const { conditions, value } of run.alternatives) {
        let start = program.finish(value);
        for (const condition of conditions.toReversed()) {
          const holds = start;
          start = putCases(program, subjectOf(condition, narrow), [{ condition, put: () => holds }], narrow, after);
        }
        next = start;
      }
    }
    return next;
  }
}

/** Alternatives that stand one after the other. */
interface Run {
  /** What all of them are about, when each has one condition; otherwise there is one alternative. */
  readonly subject: Subject | undefined;
  readonly alternatives: Alternative[];
}

function runs(alternatives: readonly Alternative[], narrow: boolean): readonly Run[] {
  const found: Run[] = [];
  for (const alternative of alternatives) {
    const [condition, more] = alternative.conditions;
    const subject = condition === undefined || more !== undefined ? undefined : subjectOf(condition, narrow);
    const last = found.at(-1);
    if (subject !== undefined && last?.subject?.index === subject.index && last.subject.mask === subject.mask)
      last.alternatives.push(alternative);
    else found.push({ subject, alternatives: [alternative] });
  }
  return found;
}
