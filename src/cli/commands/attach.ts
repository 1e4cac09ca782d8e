import { failedPrecondition } from "#errdefs";
import { command } from "../command.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { reachEngine } from "../open.ts";
import { connect, rawTerminal } from "../streams.ts";

export const attach = command(
  {
    name: "attach",
    summary: "Attach to a running container; ctrl-p ctrl-q detaches from one with a terminal",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: {
      "detach-keys": { type: "string", value: "KEYS", help: "keys to leave its terminal by, ctrl-p,ctrl-q by default" },
      "no-stdin": { type: "boolean", help: "do not send input" },
      "sig-proxy": { type: "boolean", help: "pass signals on to the container (on by default)" },
    },
    examples: ["sampan attach web"],
  },
  async (values, [name = ""], globals) => {
    const detachKeys = parseDetachKeys(values["detach-keys"]);
    await using engine = await reachEngine(globals);
    const container = await engine.get(name);
    if ((await container.summary()).state.status !== "running")
      throw failedPrecondition(`Cannot attach to container "${name}": it is not running`);
    const { options } = container;
    const tty = options.tty === true;
    const stdin = values["no-stdin"] !== true && options.openStdin === true;
    using _ = rawTerminal(tty && stdin);
    const attachment = await container.attach({ stdin, output: true });
    const proxied = values["sig-proxy"] !== false && !(tty && process.stdin.isTTY);
    const ending = await connect(attachment, {
      stdin,
      tty,
      detachKeys,
      ...(proxied ? { onSignal: (signal) => void container.kill(signal).catch(() => undefined) } : {}),
    });
    if (ending.kind === "detached") await container.noteDetached();
    if (ending.kind === "exited" && options.autoRemove === true) await container.removeIfThere({ volumes: true });
    return ending.kind === "exited" ? ending.status : 0;
  },
);
