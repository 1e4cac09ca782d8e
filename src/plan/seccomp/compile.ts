/**
 * seccomp profiles to classic BPF. The kernel runs the filter at each system call, so that the way to a decision is
 * short: first the architecture, then a binary search for the number, then, for a few calls, conditions on arguments.
 * Calls whose decision does not depend on arguments are recognized by the kernel, which then does not run the filter
 * for them at all (Linux 5.11 and later).
 */
import { invalidArgument } from "#errdefs";
import type { SeccompCondition, SeccompProfile } from "#spec";
import type { Architecture } from "../host-facts.ts";
import { actionValue } from "./actions.ts";
import { BackwardAssembler, offset, opcode, type Label } from "./bpf.ts";
import { putCondition } from "./conditions.ts";
import { abiAarch64, abiI386, abiX32, abiX8664, type SyscallAbi } from "./syscalls.ts";

/** Calls by another architecture than the profile names: the process is killed, as with libseccomp. */
const badArchitecture = actionValue("SCMP_ACT_KILL_PROCESS", undefined);

const abis: Readonly<Record<Architecture, readonly SyscallAbi[]>> = {
  x86_64: [abiX8664, abiX32, abiI386],
  aarch64: [abiAarch64],
};

export interface CompiledSeccomp {
  /** struct sock_filter array, 8 bytes each, little endian. */
  readonly program: Uint8Array;
  /** Names of the profile that are no system calls of any of the architectures; they are skipped. */
  readonly unknown: readonly string[];
}

/** Like {@link compileSeccompProfile}, the program alone. */
export const compileSeccomp = (profile: SeccompProfile, architecture: Architecture): Uint8Array =>
  compileSeccompProfile(profile, architecture).program;

/**
 * Compiles a profile for a host of an architecture.
 *
 * The native architecture is always in, others when the profile names them and the host can run them. For one system
 * call, the first rule without conditions decides; without such, the first rule whose conditions all hold; without such,
 * the default action. A rule whose action is the default one counts for nothing, and conditions of one rule on the same
 * argument are alternatives: both as with runc and crun, whose profiles rely on it.
 *
 * @throws SampanError `resource-exhausted` when the program would be longer than the kernel takes
 */
export function compileSeccompProfile(profile: SeccompProfile, architecture: Architecture): CompiledSeccomp {
  const all = abis[architecture];
  const native = all[0];
  const used = all.filter((abi) => abi === native || profile.architectures.includes(abi.name));
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const rules = rulesByName(profile, otherwise);
  const program = new BackwardAssembler();
  let next = program.finish(badArchitecture);
  for (const token of new Set(used.map((abi) => abi.token).toReversed())) {
    const group = used.filter((abi) => abi.token === token);
    const start = putNumberSearch(program, group, rules, otherwise);
    next = program.test(opcode.jumpEqual, token, start, next);
  }
  program.load(offset.architecture);
  const known = used.map((abi) => abi.numbers());
  const unknown = [...rules.keys()].filter((name) => !known.some((numbers) => numbers.has(name)));
  return { program: program.bytes(), unknown };
}

/** Returns `value` when all conditions hold. */
interface Alternative {
  readonly conditions: readonly SeccompCondition[];
  readonly value: number;
}

/** What to do for one system call. */
interface Decision {
  /** In order; empty when the decision does not depend on arguments. */
  readonly alternatives: readonly Alternative[];
  readonly otherwise: number;
}

function rulesByName(profile: SeccompProfile, otherwise: number): ReadonlyMap<string, Decision> {
  const decisions = new Map<string, { alternatives: Alternative[]; otherwise: number; fixed: boolean }>();
  for (const { action, errnoRet, args, names } of profile.syscalls) {
    const value = actionValue(action, errnoRet);
    const twice = args.length > 1 && new Set(args.map(({ index }) => index)).size < args.length;
    for (const name of names) {
      let decision = decisions.get(name);
      if (decision === undefined) decisions.set(name, (decision = { alternatives: [], otherwise, fixed: false }));
      if (value === otherwise || decision.fixed) continue;
      if (args.length === 0) {
        decision.fixed = true;
        decision.alternatives = [];
        decision.otherwise = value;
      } else if (twice) for (const condition of args) decision.alternatives.push({ conditions: [condition], value });
      else decision.alternatives.push({ conditions: args, value });
    }
  }
  return decisions;
}

/** Numbers from `first` up to the next segment's have the same decision. */
interface Segment {
  readonly first: number;
  readonly decision: Decision;
  readonly narrow: boolean;
}

/** Finds the decision for a number; all ABIs have the same token. */
function putNumberSearch(
  program: BackwardAssembler,
  group: readonly SyscallAbi[],
  rules: ReadonlyMap<string, Decision>,
  otherwise: number,
): Label {
  const plain: Decision = { alternatives: [], otherwise };
  const segments: Segment[] = [];
  add(segments, 0, plain, false);
  for (const abi of group) {
    const numbers: [number: number, decision: Decision][] = [];
    for (const [name, number] of abi.numbers()) {
      const decision = rules.get(name);
      if (decision !== undefined) numbers.push([number + abi.bit, decision]);
    }
    numbers.sort(([a], [b]) => a - b);
    for (const [number, decision] of numbers) {
      add(segments, number, decision, abi.narrow);
      add(segments, number + 1, plain, false);
    }
    if (abi === abiX8664 && !group.includes(abiX32)) {
      // Numbers of x32 are another architecture; -1 is what a tracer sets to have a call skipped.
      add(segments, abiX32.bit, { alternatives: [], otherwise: badArchitecture }, false);
      add(segments, 0xffff_ffff, plain, false);
    }
  }
  const start = putSearch(program, merge(segments), 0);
  program.goOn(start);
  return program.load(offset.number);
}

/** Segments come in order; one that starts where the last one does takes its place. */
function add(segments: Segment[], first: number, decision: Decision, narrow: boolean): void {
  if (segments.at(-1)?.first === first) segments.pop();
  segments.push({ first, decision, narrow });
}

/** Neighbours with the same fixed decision become one. */
function merge(segments: readonly Segment[]): readonly Segment[] {
  const merged: Segment[] = [];
  for (const segment of segments) {
    const last = merged.at(-1)?.decision;
    const { alternatives, otherwise } = segment.decision;
    const same = last?.alternatives.length === 0 && alternatives.length === 0 && last.otherwise === otherwise;
    if (!same) merged.push(segment);
  }
  return merged;
}

/** Binary search among the segments from `from` up to `to`. */
function putSearch(
  program: BackwardAssembler,
  segments: readonly Segment[],
  from: number,
  to = segments.length,
): Label {
  const middle = (from + to) >> 1;
  const segment = segments[middle];
  if (segment === undefined) return program.finish(badArchitecture);
  if (to - from === 1) return putDecision(program, segment);
  const above = putSearch(program, segments, middle, to);
  const below = putSearch(program, segments, from, middle);
  return program.test(opcode.jumpGreaterEqual, segment.first, above, below);
}

function putDecision(program: BackwardAssembler, { decision, narrow }: Segment): Label {
  let next = program.finish(decision.otherwise);
  for (const { conditions, value } of decision.alternatives.toReversed()) {
    let start = program.finish(value);
    for (const condition of conditions.toReversed()) start = putCondition(program, condition, narrow, start, next);
    next = start;
  }
  return next;
}

const flagBits: ReadonlyMap<string, number> = new Map([
  ["SECCOMP_FILTER_FLAG_TSYNC", 1],
  ["SECCOMP_FILTER_FLAG_LOG", 2],
  ["SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4],
  ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32],
]);

/** Flags of a profile as seccomp(2) takes them. TSYNC is left out: there is one thread when the filter is installed. */
export function seccompFlags(names: readonly string[]): number {
  let flags = 0;
  for (const name of names) {
    const bit = flagBits.get(name);
    if (bit === undefined) throw invalidArgument(`Cannot use seccomp flag "${name}": it is unknown`);
    if (name !== "SECCOMP_FILTER_FLAG_TSYNC") flags |= bit;
  }
  return flags;
}
