import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { podFlags } from "../pod-flags.ts";

export const podCreate = command(
  {
    name: "pod create",
    summary: "Make a pod: containers that share a network, IPC and a host name, with limits of their own",
    usage: "[NAME]",
    positionals: [0, 1],
    options: podFlags,
    examples: [
      "sampan pod create --publish 8080:80 --memory 1g shop",
      "sampan run -d --pod shop localhost/node server.js",
    ],
  },
  async (values, [name], globals) => {
    const { podOptions } = await import("../pod-options.ts");
    await using engine = await openEngine(globals);
    const pod = await engine.pods.create(podOptions(values, name));
    process.stdout.write(`${pod.id}\n`);
    return 0;
  },
);
