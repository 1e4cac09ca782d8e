import type { Container } from "#engine";
import { command, type GlobalOptions } from "../command.ts";
import { openEngine, reachEngine } from "../open.ts";
import { write } from "../streams.ts";
import { parseTime } from "../time.ts";

export const logs = command(
  {
    name: "logs",
    summary: "Print what a container has written",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {
      details: { type: "boolean", help: "print labels and variables that --log-opt names before each line" },
      egress: { type: "boolean", help: "print what --egress refused it: names, and packets of the last hour" },
      follow: { type: "boolean", short: "f", help: "go on until it ends" },
      since: { type: "string", value: "TIME", help: "only from this time on: RFC 3339, or ago as in 10m" },
      tail: { type: "string", short: "n", value: "NUMBER", help: "only that many last lines, or all" },
      timestamps: { type: "boolean", short: "t", help: "print the time before each line" },
      until: { type: "string", value: "TIME", help: "only before this time" },
    },
    examples: ["sampan logs --tail 100 -f web", "sampan logs --since 10m -t web", "sampan logs --egress web"],
  },
  async (values, [name = ""], globals) => {
    const { parseInteger } = await import("#engine");
    const tail =
      values.tail === undefined || values.tail === "all" ? undefined : parseInteger(values.tail, "--tail", 0, 1e9);
    const since = values.since === undefined ? undefined : parseTime(values.since, "--since");
    const until = values.until === undefined ? undefined : parseTime(values.until, "--until");
    if (values.egress === true) {
      const { printEgress } = await import("../egress-log.ts");
      await using own = await openEngine(globals);
      printEgress(await own.get(name).egressLog(), Date.now());
      return 0;
    }
    await using engine = await reachEngine(globals);
    const abort = new AbortController();
    process.once("SIGINT", () => abort.abort());
    process.stdout.on("error", () => abort.abort());
    const newline = Uint8Array.of(0x0a);
    // A line that comes in parts gets its time once; parts of the two streams may be interleaved.
    const open = { stdout: false, stderr: false };
    const details = values.details === true ? await detailsOf(name, globals) : "";
    const container = await engine.get(name);
    const entries = container.logs({
      follow: values.follow === true,
      signal: abort.signal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    });
    for await (const entry of entries) {
      const stream = entry.stream === "stderr" ? process.stderr : process.stdout;
      const begin = `${values.timestamps === true ? `${entry.time} ` : ""}${details}`;
      const stamp = open[entry.stream] ? newline.subarray(1) : Buffer.from(begin);
      open[entry.stream] = !entry.complete;
      await write(stream, Buffer.concat([stamp, entry.text, entry.complete ? newline : newline.subarray(1)]));
    }
    return 0;
  },
);

async function detailsOf(name: string, globals: GlobalOptions): Promise<string> {
  await using engine = await openEngine(globals);
  return logDetails(engine.get(name).record);
}

/** `NAME=VALUE,NAME=VALUE ` as Docker prints them. */
function logDetails({ options, resolved }: Container["record"]): string {
  const pairs = [
    ...(options.logLabels ?? []).flatMap((name) =>
      Object.hasOwn(resolved.labels, name) ? [`${name}=${resolved.labels[name]}`] : [],
    ),
    ...(options.logEnv ?? []).flatMap((name) => resolved.env.filter((text) => text.startsWith(`${name}=`))),
  ];
  return pairs.length === 0 ? "" : `${pairs.toSorted().join(",")} `;
}
