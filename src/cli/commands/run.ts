import { reachEngine } from "../open.ts";
import { command } from "../command.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { runFlags } from "../run-flags.ts";
import { connect, rawTerminal, terminalSize } from "../streams.ts";
import { pullProgress } from "../progress.ts";
import { invalidArgument } from "#errdefs";

export const run = command(
  {
    name: "run",
    summary: "Make a container from an image and run a command in it",
    usage: "IMAGE [COMMAND [ARG...]]",
    positionals: [1, Infinity],
    passthrough: true,
    options: {
      ...runFlags,
      "detach-keys": { type: "string", value: "KEYS", help: "keys to leave its terminal by, ctrl-p,ctrl-q by default" },
      detach: { type: "boolean", short: "d", help: "run in the background and print the container's id" },
      rm: { type: "boolean", help: "remove the container when it has ended" },
      "sig-proxy": { type: "boolean", help: "pass signals on to the container (on by default)" },
    },
    examples: [
      "sampan run --rm localhost/node -p '6*7'",
      "sampan run -it --rm --memory 256m docker.io/library/debian bash",
      "sampan run -d --name cache --read-only --tmpfs /tmp registry.local:5000/redis",
    ],
  },
  async (values, words, globals) => {
    const { containerOptions } = await import("../container-options.ts");
    const detach = values.detach === true;
    const detachKeys = parseDetachKeys(values["detach-keys"]);
    const tty = values.tty === true;
    const interactive = values.interactive === true;
    if (tty && interactive && !detach && !process.stdin.isTTY)
      throw invalidArgument("Cannot use -t: the input is not a terminal", { remedy: "Leave -t out" });
    await using engine = await reachEngine(globals);
    const options = {
      ...containerOptions(values, words),
      autoRemove: values.rm === true,
      stdinOnce: interactive && !detach,
    };
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    process.once("SIGINT", interrupt);
    process.once("SIGTERM", interrupt);
    let container;
    try {
      using progress = pullProgress(options.image);
      container = await engine.create(options, { onProgress: progress.update, signal: abort.signal });
    } finally {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    }
    let running = false;
    try {
      if (detach) {
        await container.start();
        running = true;
        process.stdout.write(`${container.id}\n`);
        return 0;
      }
      using _ = rawTerminal(tty && interactive);
      const size = tty ? terminalSize() : undefined;
      const attachment = await container.start({
        attach: { stdin: interactive, output: true, ...(size === undefined ? {} : { size }) },
      });
      running = true;
      const proxied = values["sig-proxy"] !== false && !(tty && process.stdin.isTTY);
      const started = container;
      const ending = await connect(attachment, {
        stdin: interactive,
        tty,
        detachKeys,
        ...(proxied ? { onSignal: (signal) => void started.kill(signal).catch(() => undefined) } : {}),
      });
      if (ending.kind === "detached") {
        await container.noteDetached();
        return 0;
      }
      if (options.autoRemove) await container.removeIfThere({ volumes: true });
      return ending.status;
    } catch (error) {
      // A container that could not be started is of no use to anybody; one that was lost sight of is. Its monitor may
      // still be cleaning up.
      if (!running) await container.removeIfThere({ force: true, volumes: true });
      throw error;
    }
  },
);
