import { command } from "../command.ts";
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
    const entries = (await engine.get(name)).logs({
      follow: values.follow === true,
      signal: abort.signal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    });
    for await (const entry of entries) {
      const stream = entry.stream === "stderr" ? process.stderr : process.stdout;
      const stamp =
        values.timestamps === true && !open[entry.stream] ? Buffer.from(`${entry.time} `) : newline.subarray(1);
      open[entry.stream] = !entry.complete;
      await write(stream, Buffer.concat([stamp, entry.text, entry.complete ? newline : newline.subarray(1)]));
    }
    return 0;
  },
);
