/** Many containers at once: how many a second come to their end, 8 at a time. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "../support/checkout.ts";
import { makeBundle, WarmRuntime } from "./oci.ts";
import { changeConfig, peerBundle, peers } from "./peers-oci.ts";
import { isInstalled, run, versionOf, type Place } from "./subject.ts";

const runs = 100;
const width = 8;

export interface Rate {
  readonly name: string;
  readonly version: string | undefined;
  /** Of each round, runs a second. */
  readonly perSecond: readonly number[];
}

interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly version?: string;
  /** Runs a container in each bundle; the number of the round makes ids that are new. */
  readonly all: (round: number) => Promise<void>;
}

/** Copies of a bundle with a cgroup for each. */
async function bundles(first: string, place: Place): Promise<readonly string[]> {
  const made: string[] = [];
  for (let index = 0; index < runs; index++) {
    const directory = `${first}-${index}`;
    await cp(first, directory, { recursive: true });
    await changeConfig(directory, (spec) => (spec.linux["cgroupsPath"] = `/${place.cgroup}/parallel-${index}`));
    made.push(directory);
  }
  return made;
}

/** The commands are started by xargs, which costs next to nothing itself. */
function commands(name: string, argv: readonly string[], directories: readonly string[], version?: string): Contender {
  return {
    name,
    ...(version !== undefined && { version }),
    async all(round) {
      const lines = Array.from({ length: runs }, (_, i) => `--bundle ${directories[i]} run-${round}-${i}`);
      const pending = run("xargs", ["-P", String(width), "-L", "1", ...argv]);
      pending.child.stdin?.end(`${lines.join("\n")}\n`);
      await pending;
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function contenders(place: Place): Promise<readonly Contender[]> {
  const own = await bundles(await makeBundle(place, "parallel"), place);
  const warm = new WarmRuntime("/run/oci-parallel");
  const found: Contender[] = [
    {
      name: "Sampan, OCI runtime layer",
      async all(round) {
        let next = 0;
        const worker = async (): Promise<void> => {
          for (let i = next++; i < runs; i = next++) await warm.run(`run-${round}-${i}`, own[i] ?? "");
        };
        await Promise.all(Array.from({ length: width }, worker));
      },
      [Symbol.asyncDispose]: async () => await warm[Symbol.asyncDispose](),
    },
    commands("sampan-oci run", [join(checkout, "sampan-oci"), "--root", "/run/oci-parallel-command", "run"], own),
  ];
  for (const peer of peers) {
    if (!(await isInstalled(peer.program))) continue;
    const theirs = await bundles(await peerBundle(peer, place, `parallel-${peer.key}`), place);
    const argv = [peer.program, "--root", join("/run", peer.key), "run"];
    found.push(commands(`${peer.title} run`, argv, theirs, await versionOf(peer.program)));
  }
  return found;
}

/** @param rounds that are counted; one before is not */
export async function measureParallel(place: Place, rounds: number): Promise<readonly Rate[]> {
  await using stack = new AsyncDisposableStack();
  const all = (await contenders(place)).map((contender) => ({
    contender: stack.use(contender),
    perSecond: [] as number[],
  }));
  for (let round = 0; round <= rounds; round++)
    for (const { contender, perSecond } of all) {
      process.stderr.write(`bench: ${runs} at ${width} in parallel, ${contender.name}\n`);
      const started = performance.now();
      await contender.all(round);
      if (round > 0) perSecond.push((runs / (performance.now() - started)) * 1000);
    }
  return all.map(({ contender: { name, version }, perSecond }) => ({ name, version, perSecond }));
}
