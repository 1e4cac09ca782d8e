/** Our tables of system calls against libseccomp's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import { Libseccomp } from "../support/libseccomp.ts";
import { seccompArchitectures } from "#spec";

let peer: Libseccomp;
beforeAll(() => {
  peer = new Libseccomp();
});
afterAll(() => peer[Symbol.dispose]());

/** Linux 5.13 took it away. */
const gone = "SCMP_ARCH_PARISC64 _llseek";

describe("syscallAbis", () => {
  it.each(seccompArchitectures)("%s has each call that libseccomp knows, with its number", (name) => {
    const ours = syscallAbis[name].numbers();
    const all = [...ours.values()];
    const theirs = new Map(
      // ARM's private calls are far from the others.
      [
        [Math.min(...all), Math.min(...all) + 1000],
        [983_040, 983_100],
      ].flatMap(([first = 0, last = 0]) => [...(peer.numbers(name, first, last) ?? [])]),
    );
    if (theirs.size === 0) {
      // Debian's libseccomp is from before it learnt these.
      expect(["SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"]).toContain(name);
      return;
    }
    expect(theirs.size).toBeGreaterThan(300);
    const differences = [...theirs].filter(([call, number]) => ours.get(call) !== number && gone !== `${name} ${call}`);
    expect(differences).toEqual([]);
    // What only we have is newer than all that it knows.
    const numbers = new Set(theirs.values());
    const other = [...ours].filter(([call, number]) => numbers.has(number) && !theirs.has(call));
    expect(other).toEqual([]);
  });
});
