import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const networkCheck = command(
  {
    name: "network check",
    summary: "See whether CNI networks are ready, or whether containers and pods still have theirs as they were made",
    usage: "[CONTAINER|POD...]",
    positionals: [0, Infinity],
    options: {},
    examples: ["sampan network check", "sampan network check web"],
  },
  async (_, names, globals) => {
    await using engine = await openEngine(globals);
    if (names.length > 0) return await forEach(names, async (name) => engine.cni.check(name));
    for (const file of await engine.cni.files())
      process.stdout.write(`${file.path}: ${"list" in file ? `cni:${file.list.name}` : file.error.message}\n`);
    const { ready, network, message } = await engine.cni.status();
    process.stdout.write(ready ? `cni:${network} is ready\n` : `${message}\n`);
    return ready ? 0 : 1;
  },
);
