import { connect, rawTerminal, terminalSize } from "../streams.ts";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";

export const taskExec = ctrCommand(
  {
    name: "tasks exec",
    summary: "run another process in a container",
    usage: "CONTAINER COMMAND [ARG...]",
    passthrough: true,
    options: {
      cwd: { type: "string", value: "DIR", help: "working directory inside" },
      detach: { type: "boolean", short: "d", help: "in the background" },
      "exec-id": { type: "string", value: "ID", help: "name of the process; not needed" },
      tty: { type: "boolean", short: "t", help: "with a terminal" },
      user: { type: "string", value: "USER[:GROUP]", help: "in place of the container's" },
    },
    examples: ["sampan ctr tasks exec --exec-id one redis redis-cli ping"],
  },
  async (values, [id = "", ...command], context) => {
    const container = await context.container(id);
    if (container.state.status !== "running")
      throw new CtrFailure(`no running task found: task ${container.name} not found: not found`);
    if (command.length === 0) throw new CtrFailure("a command must be provided: invalid argument");
    const tty = values.tty === true;
    const detach = values.detach === true;
    using _ = rawTerminal(tty && !detach);
    const size = tty ? terminalSize() : undefined;
    const session = await container.exec({
      command,
      tty,
      openStdin: !detach,
      output: !detach,
      ...(size && { consoleSize: size }),
      ...(values.cwd !== undefined && { workdir: values.cwd }),
      ...(values.user !== undefined && { user: values.user }),
    });
    if (detach) {
      session.close();
      return 0;
    }
    const ending = await connect(session, { stdin: true, tty, detachKeys: false });
    return ending.kind === "exited" ? ending.status : 0;
  },
);
