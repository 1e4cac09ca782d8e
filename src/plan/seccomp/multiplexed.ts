/**
 * socketcall(2) and ipc(2): their first argument says which call is meant, and the call's own arguments lie in memory, which
 * a filter cannot see.
 */
import type { SeccompCondition } from "#spec";
import type { Alternative, Decision } from "./rules.ts";

interface Multiplexer {
  readonly name: string;
  /** Bits of the first argument that the kernel looks at; the upper 16 of ipc's are a version. */
  readonly mask: bigint;
  /** Number → name of the call. */
  readonly calls: ReadonlyMap<bigint, string>;
}

const multiplexers: readonly Multiplexer[] = [
  {
    name: "socketcall",
    mask: 0xffff_ffffn,
    // include/uapi/linux/net.h
    calls: new Map(
      (
        "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown " +
        "setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"
      )
        .split(" ")
        .map((name, i) => [BigInt(i + 1), name]),
    ),
  },
  {
    name: "ipc",
    mask: 0xffffn,
    // include/uapi/linux/ipc.h
    calls: new Map([
      [1n, "semop"],
      [2n, "semget"],
      [3n, "semctl"],
      [4n, "semtimedop"],
      [11n, "msgsnd"],
      [12n, "msgrcv"],
      [13n, "msgget"],
      [14n, "msgctl"],
      [21n, "shmat"],
      [22n, "shmdt"],
      [23n, "shmget"],
      [24n, "shmctl"],
    ]),
  },
];

/**
 * Decisions with what they mean for socketcall and ipc: whatever the profile says of `socket` holds for the `socket` of
 * socketcall too. Rules for socketcall and ipc themselves go first. Of decisions that depend on arguments the strictest
 * holds, because the arguments are out of sight.
 */
export function withMultiplexed(
  decisions: ReadonlyMap<string, Decision>,
  otherwise: number,
): ReadonlyMap<string, Decision> {
  const all = new Map(decisions);
  for (const { name, mask, calls } of multiplexers) {
    const own = decisions.get(name);
    if (own?.fixed === true) continue;
    const inner: Alternative[] = [];
    let named = false;
    for (const [number, call] of calls) {
      const decision = decisions.get(call);
      if (decision === undefined) continue;
      named = true;
      const value = strictest(decision);
      const isCall: SeccompCondition = { index: 0, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: number };
      if (value !== otherwise) inner.push({ conditions: [isCall], value });
    }
    if (named) all.set(name, { alternatives: [...(own?.alternatives ?? []), ...inner], otherwise, fixed: false });
  }
  return all;
}

/** The kernel orders SECCOMP_RET_* by the signed value: a smaller one is stricter. */
function strictest({ alternatives, otherwise }: Decision): number {
  return alternatives.reduce((least, { value }) => ((value | 0) < (least | 0) ? value : least), otherwise);
}
