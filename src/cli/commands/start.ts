import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { forEach, reachEngine } from "../open.ts";
import { connect, rawTerminal, terminalSize } from "../streams.ts";

export const start = command(
  {
    name: "start",
    summary: "Start containers that have ended, with what they have written",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {
      attach: { type: "boolean", short: "a", help: "print its output, pass signals on, and end with its exit code" },
      "detach-keys": { type: "string", value: "KEYS", help: "keys to leave its terminal by, ctrl-p,ctrl-q by default" },
      interactive: { type: "boolean", short: "i", help: "send it input" },
    },
    examples: ["sampan start web", "sampan start -ai shell"],
  },
  async (values, names, globals) => {
    const detachKeys = parseDetachKeys(values["detach-keys"]);
    const attached = values.attach === true || values.interactive === true;
    if (attached && names.length > 1)
      throw invalidArgument("Cannot attach to several containers at once: name one", {
        remedy: "Leave --attach and --interactive out",
      });
    await using engine = await reachEngine(globals);
    if (!attached)
      return await forEach(names, async (name) => {
        await (await engine.get(name)).start();
        process.stdout.write(`${name}\n`);
      });
    const container = await engine.get(names[0] ?? "");
    const { options } = container;
    const tty = options.tty === true;
    const stdin = values.interactive === true && options.openStdin === true;
    using _ = rawTerminal(tty && stdin);
    const size = tty ? terminalSize() : undefined;
    const attachment = await container.start({
      attach: { stdin, output: values.attach === true, ...(size === undefined ? {} : { size }) },
    });
    const proxied = !(tty && process.stdin.isTTY);
    const ending = await connect(attachment, {
      stdin,
      tty,
      detachKeys,
      ...(proxied ? { onSignal: (signal) => void container.kill(signal).catch(() => undefined) } : {}),
    });
    if (ending.kind === "detached") {
      await container.noteDetached();
      return 0;
    }
    if (options.autoRemove === true) await container.removeIfThere({ volumes: true });
    return ending.status;
  },
);
