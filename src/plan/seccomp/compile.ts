/**
 * seccomp profiles to classic BPF. The kernel runs the filter at each system call, so that the way to a decision is
 * short: first the architecture, then a binary search for the number, then, for a few calls, one for arguments.
 * Calls whose decision does not depend on arguments are recognized by the kernel, which then does not run the filter
 * for them at all (Linux 5.11 and later).
 */
import type { SeccompArchitecture, SeccompProfile } from "#spec";
import type { Architecture } from "../host-facts.ts";
import { actionValue } from "./actions.ts";
import { BackwardAssembler, opcode, type Label } from "./bpf.ts";
import { DecisionCode } from "./decision-code.ts";
import { withMultiplexed } from "./multiplexed.ts";
import { profileNames } from "./resolve.ts";
import { decisionsByName, type Decision } from "./rules.ts";
import { mergeRanges, putSearch, type Range } from "./search.ts";
import { abisOf, isSystemCall, syscallAbis, x32Bit, type SyscallAbi } from "./syscalls.ts";

export interface CompiledSeccomp {
  /** struct sock_filter array, 8 bytes each, in the byte order of the architecture. */
  readonly program: Uint8Array;
  /** Names of the profile that are no system calls of any architecture; they are skipped. */
  readonly unknown: readonly string[];
}

/** Like {@link compileSeccompProfile}, the program alone. */
export const compileSeccomp = (profile: SeccompProfile, architecture: Architecture): Uint8Array =>
  compileSeccompProfile(profile, architecture).program;

/** Compiles a profile for a host of an architecture, see {@link compileSeccompFor}. */
export const compileSeccompProfile = (profile: SeccompProfile, architecture: Architecture): CompiledSeccomp =>
  compileSeccompFor(profile, profileNames[architecture]);

/**
 * Compiles a profile for a kernel of an architecture.
 *
 * The native ABI is always in, others when the profile names them and the kernel runs their programs. Calls by any other
 * kill the process. Calls with greater numbers than any in the profile are answered as by an older kernel that lacks them
 * (ENOSYS), when the default action is no permissive one: programs then take another way, where EPERM would end them.
 *
 * @throws SampanError `resource-exhausted` when the program would be longer than the kernel takes, `invalid-argument` when
 *   two rules contradict each other
 */
export function compileSeccompFor(profile: SeccompProfile, native: SeccompArchitecture): CompiledSeccomp {
  const [own, ...companions] = abisOf(native);
  const abis = [own, ...companions.filter(({ name }) => profile.architectures.includes(name))];
  const decisions = decisionsByName(profile);
  const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
  const meaning: Meaning = {
    direct: decisions,
    multiplexed: abis.some((abi) => abi.multiplexed) ? withMultiplexed(decisions, otherwise) : decisions,
    otherwise: plain(otherwise),
    beyond: permissive.has(profile.defaultAction) ? plain(otherwise) : noSuchCall,
  };
  const program = new BackwardAssembler(own.bigEndian);
  const code = new DecisionCode(program);
  let next = program.finish(badArchitecture.otherwise);
  for (const token of new Set(abis.map((abi) => abi.token).toReversed())) {
    const group = abis.filter((abi) => abi.token === token);
    const start = putNumberSearch(program, code, group, meaning);
    next = program.test(opcode.jumpEqual, token, start, next);
  }
  program.loadArchitecture();
  const unknown = [...decisions.keys()].filter(
    (name) => !abis.some((abi) => abi.numbers().has(name)) && !isSystemCall(name),
  );
  return { program: program.bytes(), unknown };
}

/** What a profile says, by name. */
interface Meaning {
  readonly direct: ReadonlyMap<string, Decision>;
  /** For ABIs with socketcall and ipc. */
  readonly multiplexed: ReadonlyMap<string, Decision>;
  readonly otherwise: Decision;
  /** For numbers greater than the profile's. */
  readonly beyond: Decision;
}

const plain = (value: number): Decision => ({ alternatives: [], otherwise: value, fixed: true });
const enosys = 38;
const noSuchCall = plain(actionValue("SCMP_ACT_ERRNO", enosys));
/** Calls by another architecture than the profile names. libseccomp kills the thread alone. */
const badArchitecture = plain(actionValue("SCMP_ACT_KILL_PROCESS", undefined));
/** A tracer is taken for one that answers calls that it does not know. */
const permissive: ReadonlySet<string> = new Set(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]);

/** Finds the decision for a number; all ABIs have the same token. */
function putNumberSearch(
  program: BackwardAssembler,
  code: DecisionCode,
  group: readonly SyscallAbi[],
  meaning: Meaning,
): Label {
  const ranges: Range[] = [];
  for (const abi of group) {
    const target = (decision: Decision): number => code.target(decision, abi.narrow);
    const numbers = decidedNumbers(abi, abi.multiplexed ? meaning.multiplexed : meaning.direct);
    const last = numbers.at(-1)?.[0] ?? 0;
    ranges.push({ first: abi.name === "SCMP_ARCH_X32" ? x32Bit : 0, target: target(meaning.otherwise) });
    // The kernel takes 0, which s390 has no call for, in place of a number beyond its table.
    if (isS390(abi) && last > 0)
      ranges.push({ first: 0, target: target(meaning.beyond) }, { first: 1, target: target(meaning.otherwise) });
    for (const [number, decision] of numbers)
      ranges.push(
        { first: number, target: target(decision) },
        { first: number + 1, target: target(number === last && last > 0 ? meaning.beyond : meaning.otherwise) },
      );
    if (abi === syscallAbis.SCMP_ARCH_X86_64 && group.length === 1)
      // Numbers of x32 are another architecture; -1 is what a tracer sets to have a call skipped.
      ranges.push(
        { first: x32Bit, target: target(badArchitecture) },
        { first: 0xffff_ffff, target: target(meaning.otherwise) },
      );
  }
  const merged = mergeRanges(ranges);
  const start = putSearch(program, merged, (target) => code.put(target));
  program.goOn(start);
  return program.loadNumber();
}

const isS390 = ({ name }: SyscallAbi): boolean => name === "SCMP_ARCH_S390" || name === "SCMP_ARCH_S390X";

/** Numbers that the profile decides for, in their order. */
function decidedNumbers(
  abi: SyscallAbi,
  decisions: ReadonlyMap<string, Decision>,
): readonly (readonly [number: number, decision: Decision])[] {
  const numbers: [number: number, decision: Decision][] = [];
  for (const [name, number] of abi.numbers()) {
    const decision = decisions.get(name);
    if (decision !== undefined) numbers.push([number, decision]);
  }
  return numbers.sort(([a], [b]) => a - b);
}
