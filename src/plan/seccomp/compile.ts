/**
 * seccomp profiles to classic BPF. The kernel runs the filter at each system call, so that the way to a decision is
 * short: first the architecture, then a binary search for the number, then, for a few calls, conditions on arguments.
 * Calls whose decision does not depend on arguments are recognized by the kernel, which then does not run the filter
 * for them at all (Linux 5.11 and later).
 */
import { invalidArgument, resourceExhausted } from "#errdefs";
import type { SeccompProfile, SeccompRule } from "#spec";
import type { Architecture } from "../host-facts.ts";
import { actionValue } from "./actions.ts";
import { branch, encode, finish, load, offset, opcode, type Instruction } from "./bpf.ts";
import { compileRule } from "./conditions.ts";
import { abiAarch64, abiI386, abiX32, abiX8664, type SyscallAbi } from "./syscalls.ts";

/** BPF_MAXINSNS */
const maxInstructions = 4096;

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
  const byToken = new Map<number, SyscallAbi[]>();
  for (const abi of used) byToken.set(abi.token, [...(byToken.get(abi.token) ?? []), abi]);
  let code: Instruction[] = [finish(badArchitecture)];
  for (const [token, group] of [...byToken].toReversed())
    code = branch(opcode.jumpEqual, token, numberSearch(group, rules, otherwise), code);
  code.unshift(load(offset.architecture));
  if (code.length > maxInstructions)
    throw resourceExhausted(
      `Cannot compile the seccomp profile: it needs ${code.length} instructions, the kernel takes ${maxInstructions}`,
    );
  const known = used.map((abi) => abi.numbers());
  const unknown = [...rules.keys()].filter((name) => !known.some((numbers) => numbers.has(name)));
  return { program: encode(code), unknown };
}

/** What to do for one system call. */
interface Decision {
  /** In order; empty when the decision does not depend on arguments. */
  readonly rules: readonly { readonly rule: SeccompRule; readonly value: number }[];
  readonly otherwise: number;
}

function rulesByName(profile: SeccompProfile, otherwise: number): ReadonlyMap<string, Decision> {
  const decisions = new Map<
    string,
    { rules: { rule: SeccompRule; value: number }[]; otherwise: number; fixed: boolean }
  >();
  for (const rule of profile.syscalls) {
    const value = actionValue(rule.action, rule.errnoRet);
    for (const name of rule.names) {
      let decision = decisions.get(name);
      if (decision === undefined) decisions.set(name, (decision = { rules: [], otherwise, fixed: false }));
      if (value === otherwise || decision.fixed) continue;
      if (rule.args.length > 0) decision.rules.push({ rule, value });
      else {
        decision.fixed = true;
        decision.rules = [];
        decision.otherwise = value;
      }
    }
  }
  return decisions;
}

/** Numbers from `first` up to the next segment's have the same decision. */
interface Segment {
  readonly first: number;
  readonly code: readonly Instruction[];
}

/** Finds the decision for a number; all ABIs have the same token. */
function numberSearch(
  group: readonly SyscallAbi[],
  rules: ReadonlyMap<string, Decision>,
  otherwise: number,
): Instruction[] {
  const plain = finish(otherwise);
  const segments: Segment[] = [{ first: 0, code: [plain] }];
  for (const abi of group) {
    const numbers = [...abi.numbers()].map(([name, number]) => [number + abi.bit, name] as const);
    for (const [number, name] of numbers.sort(([a], [b]) => a - b)) {
      const decision = rules.get(name);
      if (decision === undefined) continue;
      if (decision.rules.length === 0 && decision.otherwise === otherwise) continue;
      addSegment(segments, number, compileDecision(decision, abi.narrow));
      addSegment(segments, number + 1, [plain]);
    }
    if (abi.token === abiX8664.token && !group.includes(abiX32)) {
      // Numbers of x32 are another architecture; -1 is what a tracer sets to have a call skipped.
      addSegment(segments, abiX32.bit, [finish(badArchitecture)]);
      addSegment(segments, 0xffff_ffff, [plain]);
    }
  }
  return [load(offset.number), ...search(merge(segments), 0)];
}

/** Segments come in order; one that starts where the last one does takes its place. */
function addSegment(segments: Segment[], first: number, code: readonly Instruction[]): void {
  if (segments.at(-1)?.first === first) segments.pop();
  segments.push({ first, code });
}

/** Neighbours with the same fixed decision become one. */
function merge(segments: readonly Segment[]): readonly Segment[] {
  const merged: Segment[] = [];
  for (const segment of segments) {
    const last = merged.at(-1);
    const same = last?.code.length === 1 && segment.code.length === 1 && last.code[0]?.k === segment.code[0]?.k;
    if (!same) merged.push(segment);
  }
  return merged;
}

function search(segments: readonly Segment[], from: number, to = segments.length): Instruction[] {
  const middle = (from + to) >> 1;
  const segment = segments[middle];
  if (segment === undefined) throw invalidArgument("Cannot compile the seccomp profile: it has no decision");
  if (to - from === 1) return [...segment.code];
  return branch(opcode.jumpGreaterEqual, segment.first, search(segments, middle, to), search(segments, from, middle));
}

function compileDecision({ rules, otherwise }: Decision, narrow: boolean): readonly Instruction[] {
  const code: Instruction[] = [];
  for (const { rule, value } of rules) {
    const indexes = new Set(rule.args.map(({ index }) => index));
    const alternatives = indexes.size < rule.args.length ? rule.args.map((condition) => [condition]) : [rule.args];
    for (const conditions of alternatives) code.push(...compileRule(conditions, value, narrow));
  }
  code.push(finish(otherwise));
  return code;
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
