/**
 * `node test/performance/images.ts [--quick] [--rounds N]`: how long commands take that only look things up: `sampan images`
 * with 1,000 images, and `sampan pull` of an image that is there, and of one whose layers are there. In turn with an empty
 * script of Node, which tells what of it is work of ours. Needs root. Build first.
 */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { testImage } from "../support/images.ts";
import { Layout } from "../support/layout.ts";
import { Registry } from "../support/registry.ts";
import { TestHost } from "../support/testhost.ts";
import { compileTool } from "./compile-tool.ts";
import { summarize, table } from "./statistics.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean" }, rounds: { type: "string" } } });
const rounds = Number(values.rounds ?? (values.quick === true ? 5 : 40));
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`Cannot measure "${values.rounds}" rounds`);
const count = 1000;

interface Row {
  readonly name: string;
  readonly argv: readonly string[];
  /** What is done before each sample, and not measured. */
  readonly before?: () => Promise<unknown>;
  /** Milliseconds that it may take: as a whole, or without the start of Node. */
  readonly aim?: { readonly whole: number } | { readonly own: number };
  readonly samples: number[];
}

const stopwatch = await compileTool("stopwatch");
await using host = await TestHost.create();
await host.must(["mount", "-t", "tmpfs", "-o", "mode=0755", "run", "/run"]);
await using registry = await Registry.start({ host });

const [, source = "", tag = ""] = (await testImage("layers")).split(":");
const directory = join(host.files, "layout");
await cp(source, directory, { recursive: true });
const layout = new Layout(directory);
await layout.redate(tag, "present", "2001-01-01T00:00:00Z");
await layout.redate(tag, "other", "2002-01-01T00:00:00Z");
for (const name of ["present", "other"]) await registry.push(`oci:${directory}:${name}`, `${name}:1`);
const [present, other] = [`${registry.address}/present:1`, `${registry.address}/other:1`];

const few = ["--root", join(host.files, "few")];
const many = ["--root", join(host.files, "many")];
const sampan = (...args: readonly string[]): readonly string[] => [join(checkout, "sampan"), ...args];
await host.must(sampan(...few, "pull", "-q", present));
await fill();

/** Loads many images of the same layers, from archives of as many as an index may have. */
async function fill(): Promise<void> {
  process.stderr.write(`bench: making ${count} images\n`);
  for (let first = 0; first < count; first += 500) {
    const images = new Layout(join(host.files, `images-${first}`));
    await cp(source, images.directory, { recursive: true });
    for (let i = first; i < first + 500; i += 1)
      await images.redate(tag, `localhost/bench-${i}:1`, new Date(Date.UTC(2010, 0, 1) + i * 1000).toISOString());
    const archive = `${images.directory}.tar`;
    await host.must(["tar", "-C", images.directory, "-cf", archive, "."], { timeout: 120_000 });
    await host.must(sampan(...many, "load", "-q", "-i", archive), { timeout: 600_000 });
  }
  const listed = (await host.must(sampan(...many, "images", "--filter", "reference=localhost/bench-*"))).split("\n");
  if (listed.length !== count + 1) throw new Error(`Cannot list ${count} images: there are ${listed.length - 1}`);
}

const rows: readonly Row[] = [
  { name: "node, an empty script", argv: [pinnedNode, "-e", "0"], samples: [] },
  { name: `sampan images, ${count} of them`, argv: sampan(...many, "images"), aim: { whole: 100 }, samples: [] },
  { name: "sampan pull, it is there", argv: sampan(...few, "pull", "-q", present), aim: { own: 50 }, samples: [] },
  {
    name: "sampan pull, its layers are there",
    argv: sampan(...few, "pull", "-q", other),
    // Fails in the first round, when it was not pulled yet.
    before: async () => await host.run(sampan(...few, "rmi", other)),
    aim: { own: 50 },
    samples: [],
  },
];
// The first round is of another kind: caches are empty.
for (let round = 0; round <= rounds; round++) {
  process.stderr.write(`bench: round ${round} of ${rounds}\n`);
  for (const { argv, before, samples } of rows) {
    await before?.();
    const taken = Number(await host.must([stopwatch, "0", ...argv]));
    if (round > 0) samples.push(taken);
  }
}

const [node] = rows.map(({ samples }) => summarize(samples).median);
const lines = rows.map(({ name, samples, aim }) => {
  const { median, quartile1, quartile3 } = summarize(samples);
  const own = median - (node ?? Number.NaN);
  const aimed = aim === undefined ? "" : "whole" in aim ? `${aim.whole} as a whole` : `${aim.own} of our own`;
  const value = aim !== undefined && "whole" in aim ? median : own;
  const limit = aim === undefined ? Infinity : "whole" in aim ? aim.whole : aim.own;
  const verdict = aim === undefined ? "" : value < limit ? "yes" : "no";
  const quartiles = `${quartile1.toFixed(1)}–${quartile3.toFixed(1)}`;
  return [name, median.toFixed(1), quartiles, (median / (node ?? 1)).toFixed(2), own.toFixed(1), aimed, verdict];
});
const head = ["milliseconds", "median", "quartiles", "× node", "above node", "below", "is it"];
process.stdout.write(`\n${table([head, ...lines])}${rounds} rounds\n`);
