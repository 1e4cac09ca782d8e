/**
 * `node measure.ts PLACE ROUNDS`, in the benchmark's test host: prepares all subjects and takes their samples in turn, so
 * that whatever else the machine does falls on all of them alike. Prints the result as JSON; progress goes to stderr.
 */
import { Registry } from "../support/registry.ts";
import { floorCommand, floorInProcess } from "./floor.ts";
import { bareNode, ociCommand, ociLibrary } from "./oci.ts";
import { ctr, docker, podman } from "./peers-engine.ts";
import { crun, runc } from "./peers-oci.ts";
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
}

export interface Measured {
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Bytes, undefined when it could not be measured. */
  readonly monitorPss: number | undefined;
}

const idle = 30;
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
    floorCommand,
    sampanCommand,
    bareNode,
    ociLibrary,
    ociCommand,
    crun,
    runc,
    ctr,
    podman,
    docker,
  };

  await using stack = new AsyncDisposableStack();
  const taken = new Map<Subject, { readonly backToBack: number[]; readonly afterIdle: number[] }>();
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
      taken.set(subject, { backToBack: [], afterIdle: [] });
    } catch (error) {
      skipped.push({ name: key, reason: `failed: ${message(error)}` });
    }
  }
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`bench: round ${round} of ${rounds}\n`);
    for (const gap of [0, idle])
      for (const [subject, { backToBack, afterIdle }] of taken)
        try {
          (gap === 0 ? backToBack : afterIdle).push(...(await subject.sample(gap)));
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
  return {
    rows: [...taken].map(([subject, { backToBack, afterIdle }]) => ({
      name: subject.name,
      version: subject.version,
      backToBack: summarize(backToBack),
      afterIdle: summarize(afterIdle),
    })),
    skipped,
    monitorPss: memory,
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
