/**
 * `node measure.ts PLACE ROUNDS`, in the benchmark's test host: prepares all subjects and takes their samples in turn, so
 * that whatever else the machine does falls on all of them alike. Prints the result as JSON; progress goes to stderr.
 */
import { Registry } from "../support/registry.ts";
import { sampanDaemon } from "./daemon.ts";
import { floorCommand, floorInProcess } from "./floor.ts";
import { bareNode, ociCommand, ociCommandExec, ociLibrary, ociLibraryExec } from "./oci.ts";
import { measureParallel, type Rate } from "./parallel.ts";
import { ctr, docker, podman } from "./peers-engine.ts";
import { peerExec, peerRun, peers } from "./peers-oci.ts";
import { monitorPss, sampanCommand, sampanLibrary } from "./sampan.ts";
import { summarize, type Summary } from "./statistics.ts";
import { command, type Place, type Prepare, type Subject } from "./subject.ts";

export interface Row {
  readonly name: string;
  readonly version: string | undefined;
  /** Milliseconds, one container right after the other. */
  readonly backToBack: Summary;
  /** Milliseconds, after 30 ms in which the machine was idle. */
  readonly afterIdle: Summary;
  /** Milliseconds, after a second in which it was. */
  readonly afterSecond: Summary;
}

export interface Measured {
  readonly rows: readonly Row[];
  readonly rates: readonly Rate[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Bytes, undefined when it could not be measured. */
  readonly monitorPss: number | undefined;
}

const idle = 30;
const longIdle = 1000;
/** One round of so many has the long sleep. */
const longEvery = 8;
/** Rounds of many containers at once. */
const parallelRounds = 3;
/** Running containers over which a monitor's memory is averaged. */
const monitors = 5;

/** What any command costs. */
const nothing: Prepare = async (place) => command(place, "/bin/true, no container", () => ["/bin/true"]);

const [place = "{}", rounds = "1", only = ""] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(JSON.parse(place) as Place, Number(rounds), new RegExp(only))));

async function measure(given: Place, rounds: number, only: RegExp): Promise<Measured> {
  await using registry = await Registry.start();
  await registry.push(`oci-archive:${given.archive}`, "bench:1");
  const place = { ...given, reference: `${registry.address}/bench:1` };
  const prepare = {
    nothing,
    floorInProcess,
    sampanLibrary,
    sampanDaemon,
    floorCommand,
    sampanCommand,
    bareNode,
    ociLibrary,
    ociCommand,
    ociLibraryExec,
    ociCommandExec,
    ...Object.fromEntries(
      peers.flatMap((peer) => [
        [peer.key, peerRun(peer)],
        [`${peer.key}Exec`, peerExec(peer)],
      ]),
    ),
    ctr,
    podman,
    docker,
  };

  await using stack = new AsyncDisposableStack();
  const taken = new Map<Subject, ReadonlyMap<number, number[]>>();
  const skipped: { name: string; reason: string }[] = [];
  for (const [key, make] of Object.entries(prepare)) {
    if (!only.test(key)) continue;
    process.stderr.write(`bench: preparing ${key}\n`);
    try {
      const subject = await make(place);
      if ("skipped" in subject) {
        skipped.push({ name: subject.name, reason: subject.skipped });
        continue;
      }
      stack.use(subject);
      // The first run is of another kind: caches are empty, directories not yet made.
      await subject.sample(0);
      taken.set(subject, new Map([0, idle, longIdle].map((gap) => [gap, []])));
    } catch (error) {
      skipped.push({ name: key, reason: `failed: ${message(error)}` });
    }
  }
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`bench: round ${round} of ${rounds}\n`);
    for (const gap of round % longEvery === 1 ? [0, idle, longIdle] : [0, idle])
      for (const [subject, samples] of taken)
        try {
          samples.get(gap)?.push(...(await subject.sample(gap)));
        } catch (error) {
          // Figures of what does not work reliably would mean nothing.
          taken.delete(subject);
          skipped.push({ name: subject.name, reason: `failed in round ${round}: ${message(error)}` });
        }
  }
  let memory: number | undefined;
  if (only.test("monitorPss"))
    try {
      memory = await monitorPss(place, monitors);
    } catch (error) {
      skipped.push({ name: "monitor's memory", reason: `failed: ${message(error)}` });
    }
  let rates: readonly Rate[] = [];
  if (only.test("parallel"))
    try {
      rates = await measureParallel(place, parallelRounds);
    } catch (error) {
      skipped.push({ name: "many in parallel", reason: `failed: ${message(error)}` });
    }
  return {
    rows: [...taken].map(([subject, samples]) => ({
      name: subject.name,
      version: subject.version,
      backToBack: summarize(samples.get(0) ?? []),
      afterIdle: summarize(samples.get(idle) ?? []),
      afterSecond: summarize(samples.get(longIdle) ?? []),
    })),
    rates,
    skipped,
    monitorPss: memory,
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
