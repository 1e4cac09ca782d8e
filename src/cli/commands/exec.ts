import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { reachEngine } from "../open.ts";
import { connect, rawTerminal, terminalSize } from "../streams.ts";

export const exec = command(
  {
    name: "exec",
    summary: "Run a command in a running container",
    usage: "CONTAINER COMMAND [ARG...]",
    positionals: [2, Infinity],
    passthrough: true,
    options: {
      detach: { type: "boolean", short: "d", help: "run it in the background" },
      "detach-keys": { type: "string", value: "KEYS", help: "keys to leave its terminal by, ctrl-p,ctrl-q by default" },
      env: { type: "list", short: "e", value: "NAME[=VALUE]", help: "environment variable" },
      "env-file": { type: "list", value: "FILE", help: "environment variables, one a line" },
      interactive: { type: "boolean", short: "i", help: "keep stdin open" },
      privileged: { type: "boolean", help: "with all capabilities" },
      tty: { type: "boolean", short: "t", help: "give it a terminal" },
      user: { type: "string", short: "u", value: "USER[:GROUP]", help: "user and group by name or id" },
      workdir: { type: "string", short: "w", value: "PATH", help: "working directory inside" },
    },
    examples: ["sampan exec -it web sh", "sampan exec -e LEVEL=debug web node repair.js"],
  },
  async (values, [name = "", ...words], globals) => {
    const { hostVariable, readEnvFile } = await import("../container-options.ts");
    const detach = values.detach === true;
    const detachKeys = parseDetachKeys(values["detach-keys"]);
    const tty = values.tty === true;
    const interactive = values.interactive === true && !detach;
    if (tty && interactive && !process.stdin.isTTY)
      throw invalidArgument("Cannot use -t: the input is not a terminal", { remedy: "Leave -t out" });
    using _ = rawTerminal(tty && interactive);
    const size = tty ? terminalSize() : undefined;
    await using engine = await reachEngine(globals);
    const session = await (
      await engine.get(name)
    ).exec({
      command: words,
      env: [...values["env-file"].flatMap(readEnvFile), ...values.env.flatMap(hostVariable)],
      tty,
      openStdin: interactive,
      ...(size === undefined ? {} : { consoleSize: size }),
      output: !detach,
      ...(values.user === undefined ? {} : { user: values.user }),
      ...(values.workdir === undefined ? {} : { workdir: values.workdir }),
      ...(values.privileged === undefined ? {} : { privileged: values.privileged }),
    });
    if (detach) {
      session.close();
      return 0;
    }
    const ending = await connect(session, { stdin: interactive, tty, detachKeys });
    return ending.kind === "exited" ? ending.status : 0;
  },
);
