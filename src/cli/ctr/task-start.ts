/** `tasks start`, `attach`: a container's process with this one's stdio. */
import { writeFileSync } from "node:fs";
import type { Container } from "#engine";
import { connect, rawTerminal, terminalSize } from "../streams.ts";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { taskStatus } from "./words.ts";

export const taskStart = ctrCommand(
  {
    name: "tasks start",
    summary: "start a container's process, with this terminal or output",
    usage: "CONTAINER",
    options: {
      detach: { type: "boolean", short: "d", help: "in the background" },
      "null-io": { type: "boolean", help: "without input, and show no output" },
      "pid-file": { type: "string", value: "FILE", help: "write the process' id there" },
    },
    examples: ["sampan ctr tasks start redis", "sampan ctr tasks start -d redis"],
  },
  async (values, [id = ""], context) => {
    const container = await context.container(id);
    if (taskStatus(container) !== undefined) throw new CtrFailure(`task ${container.name}: already exists`);
    return await startTask(container, {
      detach: values.detach === true,
      silent: values["null-io"] === true,
      pidFile: values["pid-file"],
    });
  },
);

export interface StartTask {
  readonly detach: boolean;
  readonly silent: boolean;
  readonly pidFile: string | undefined;
}

/** @returns the exit code of its process, whose end is forgotten then; 0 in the background */
export async function startTask(container: Container, { detach, silent, pidFile }: StartTask): Promise<number> {
  const note = (): void => {
    const { state } = container;
    if (pidFile !== undefined && state.status === "running") writeFileSync(pidFile, String(state.pid));
  };
  if (detach) {
    await container.start();
    note();
    return 0;
  }
  const tty = container.options.tty === true;
  const stdin = container.options.openStdin === true && !silent;
  using _ = rawTerminal(tty && stdin);
  const size = tty ? terminalSize() : undefined;
  const attachment = await container.start({
    attach: { stdin, output: !silent, ...(size === undefined ? {} : { size }) },
  });
  note();
  return await follow(container, attachment, stdin);
}

async function follow(
  container: Container,
  attachment: Parameters<typeof connect>[0],
  stdin: boolean,
): Promise<number> {
  const tty = container.options.tty === true;
  const ending = await connect(attachment, {
    stdin,
    tty,
    detachKeys: false,
    ...(!(tty && process.stdin.isTTY) && {
      onSignal: (signal: NodeJS.Signals) => void container.kill(signal).catch(() => undefined),
    }),
  });
  // Its monitor may still be noting how it ended.
  await container.wait();
  await container.forgetEnd();
  return ending.kind === "exited" ? ending.status : 0;
}

export const taskAttach = ctrCommand(
  {
    name: "tasks attach",
    summary: "connect to a running container's input and output",
    usage: "CONTAINER",
    options: {},
    examples: ["sampan ctr tasks attach redis"],
  },
  async (_, [id = ""], context) => {
    const container = await context.container(id);
    if (container.state.status !== "running")
      throw new CtrFailure(`no running task found: task ${container.name} not found: not found`);
    const stdin = container.options.openStdin === true;
    using __ = rawTerminal(container.options.tty === true && stdin);
    return await follow(container, await container.attach({ stdin, output: true }), stdin);
  },
);
