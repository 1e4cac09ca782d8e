import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const imagePin = command(
  {
    name: "image pin",
    summary: "Keep images from being pruned",
    usage: "IMAGE...",
    positionals: [1, Infinity],
    options: { remove: { type: "boolean", help: "let go of them" } },
    examples: ["sampan image pin registry.example/pause:3.10", "sampan image pin --remove debian:12"],
  },
  async (values, names, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(names, async (name) => engine.imageStore.pin(name, values.remove !== true));
  },
);
