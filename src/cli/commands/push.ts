import { command } from "../command.ts";
import { interruption, reachEngine } from "../open.ts";
import { progressDisplay } from "../progress.ts";

export const push = command(
  {
    name: "push",
    summary: "Give an image to the registry of its name",
    usage: "NAME[:TAG]",
    positionals: [1, 1],
    options: {
      "all-platforms": { type: "boolean", help: "all platforms of its index, also those that are not here" },
      platform: { type: "string", value: "OS/ARCH", help: "only the image of this platform" },
      quiet: { type: "boolean", short: "q", help: "print only what the registry has now" },
    },
    examples: ["sampan tag app registry.example.com/team/app:1", "sampan push registry.example.com/team/app:1"],
  },
  async (values, [reference = ""], globals) => {
    await using engine = await reachEngine(globals);
    const quiet = values.quiet === true;
    using progress = progressDisplay(`Pushing ${reference}`, quiet);
    const pushed = await engine.push(reference, {
      onProgress: progress.update,
      signal: interruption(),
      platform: values.platform,
      allPlatforms: values["all-platforms"],
    });
    progress[Symbol.dispose]();
    if (pushed.isPart && !quiet && values.platform === undefined)
      process.stderr.write("Only the platform that is here was pushed; --all-platforms pushes the whole index\n");
    process.stdout.write(`${pushed.name.replace(/@.*$/, "")}@${pushed.digest}\n`);
    return 0;
  },
);
