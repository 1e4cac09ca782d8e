import { invalidArgument } from "#errdefs";
import { execInContainer, fromHere } from "#runtime";
import {
  checkConsole,
  checkDescriptors,
  listenDescriptors,
  listenVariables,
  preservedDescriptors,
} from "../create-options.ts";
import { ociCommand } from "../command.ts";
import { execOptions, readExecProcess } from "../exec-process.ts";
import { runInForeground } from "../foreground.ts";

export const exec = ociCommand(
  {
    name: "exec",
    summary: "Run another process in a container",
    usage: "CONTAINER [COMMAND [ARG...]]",
    positionals: [1, Infinity],
    passthrough: true,
    options: execOptions,
    examples: ["sampan-oci exec web ps", "sampan-oci exec --process process.json --detach --pid-file new.pid web"],
  },
  async (values, [id = "", ...words], context) => {
    const detach = values.detach === true;
    const listen = listenDescriptors();
    const preserve = listen + preservedDescriptors(values["preserve-fds"]);
    checkDescriptors(preserve);
    const runtime = context.runtime(preserve);
    const container = runtime.get(id);
    const base = runtime.config(container).process;
    if (base === undefined) throw invalidArgument(`Cannot exec in container "${id}": its config has no process`);
    const given = readExecProcess(values, words, base);
    const process = listen === 0 ? given : { ...given, env: [...given.env, ...listenVariables(listen)] };
    const consoleSocket = values["console-socket"] ?? "";
    checkConsole(process.terminal, consoleSocket, detach);
    const session = await execInContainer(runtime, container, {
      process,
      detach,
      consoleSocket: consoleSocket === "" ? "" : fromHere(consoleSocket),
      pidfdSocket: values["pidfd-socket"] === undefined ? "" : fromHere(values["pidfd-socket"]),
      pidFile: values["pid-file"] === undefined ? "" : fromHere(values["pid-file"]),
      preserve,
      ignorePaused: values["ignore-paused"] === true,
      cgroups: values.cgroup,
    });
    if (session === undefined) return 0;
    using open = session;
    return await runInForeground(open.monitor, process.terminal, async () => await open.monitor.start(open.program));
  },
);
