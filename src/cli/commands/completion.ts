import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";

export const completion = command(
  {
    name: "completion",
    summary: "Print a script by which a shell completes sampan's commands",
    usage: "bash|zsh|fish",
    positionals: [1, 1],
    options: {},
    examples: ["source <(sampan completion bash)", "sampan completion fish | source"],
  },
  async (_, [shell = ""]) => {
    const { loadCommands } = await import("../commands.ts");
    const { completionModel } = await import("../completion/model.ts");
    const model = completionModel([...(await loadCommands()).values()].map(({ definition }) => definition));
    const { bashCompletion } = await import("../completion/bash.ts");
    const { fishCompletion } = await import("../completion/fish.ts");
    const { zshCompletion } = await import("../completion/zsh.ts");
    const make = new Map([
      ["bash", bashCompletion],
      ["fish", fishCompletion],
      ["zsh", zshCompletion],
    ]).get(shell);
    if (make === undefined) throw invalidArgument(`Cannot complete in "${shell}": it is not bash, zsh or fish`);
    process.stdout.write(make(model));
    return 0;
  },
);
