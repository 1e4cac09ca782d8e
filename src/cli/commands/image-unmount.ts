import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const imageUnmount = command(
  {
    name: "image unmount",
    summary: "Take an image's files away from a directory",
    usage: "DIRECTORY|IMAGE...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan image unmount /mnt"],
  },
  async (_, places, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(places, async (place) => {
      for (const target of await engine.imageMounts.unmount(place)) process.stdout.write(`${target}\n`);
    });
  },
);
