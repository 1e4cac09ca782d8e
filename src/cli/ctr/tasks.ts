/** `tasks list`, `ps`, `kill`, `pause`, `resume`, `delete`. */
import { isSampanError } from "#errdefs";
import type { Container } from "#engine";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { table } from "./table.ts";
import { taskStatus } from "./words.ts";

export const taskList = ctrCommand(
  {
    name: "tasks list",
    aliases: ["ls"],
    summary: "list containers that were started",
    usage: "",
    options: { quiet: { type: "boolean", short: "q", help: "print only the task id" } },
    examples: ["sampan ctr tasks list"],
  },
  async ({ quiet }, _, context) => {
    const tasks = (await context.engine())
      .containers()
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((container) => {
        const task = taskStatus(container);
        return task === undefined ? [] : [[container.name, String(task.pid), task.status]];
      });
    if (quiet === true) process.stdout.write(tasks.map(([name]) => `${name}\n`).join(""));
    else process.stdout.write(table([["TASK", "PID", "STATUS"], ...tasks], { padding: 4, least: 4, open: true }));
    return 0;
  },
);

export const taskPs = ctrCommand(
  {
    name: "tasks ps",
    summary: "list processes of a container",
    usage: "CONTAINER",
    options: {},
    examples: ["sampan ctr tasks ps redis"],
  },
  async (_, [id = ""], context) => {
    const container = running(await context.container(id));
    const pids = (await (await context.engine()).measurements()).processes(container.id);
    const rows = pids.map((pid) => [String(pid), "-"]);
    process.stdout.write(
      table([["PID", "INFO"], ...rows], { padding: 4, open: true }).replace(/^(PID +INFO) +$/m, "$1"),
    );
    return 0;
  },
);

/** @throws CtrFailure for one whose process has ended, or was never started */
function running(container: Container): Container {
  if (container.state.status === "running") return container;
  throw new CtrFailure(`no running task found: task ${container.name} not found: not found`);
}

export const taskKill = ctrCommand(
  {
    name: "tasks kill",
    summary: "send a container's process a signal, SIGTERM by default",
    usage: "CONTAINER",
    options: {
      all: { type: "boolean", short: "a", help: "all its processes" },
      signal: { type: "string", short: "s", value: "SIGNAL", help: "signal by name or number" },
    },
    examples: ["sampan ctr tasks kill -s KILL redis"],
  },
  async ({ all, signal = "TERM" }, [id = ""], context) => {
    const container = running(await context.container(id));
    await container.kill(signal);
    if (all !== true) return 0;
    const first = container.state.status === "running" ? container.state.pid : 0;
    const name = /^\d+$/.test(signal) ? Number(signal) : (`SIG${signal.replace(/^SIG/i, "").toUpperCase()}` as const);
    for (const pid of (await (await context.engine()).measurements()).processes(container.id)) {
      try {
        if (pid !== first) process.kill(pid, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    return 0;
  },
);

export const taskPause = ctrCommand(
  {
    name: "tasks pause",
    summary: "stop all processes of a container where they are",
    usage: "CONTAINER",
    options: {},
    examples: ["sampan ctr tasks pause redis"],
  },
  async (_, [id = ""], context) => {
    await running(await context.container(id)).pause();
    return 0;
  },
);

export const taskResume = ctrCommand(
  {
    name: "tasks resume",
    summary: "let a paused container go on",
    usage: "CONTAINER",
    options: {},
    examples: ["sampan ctr tasks resume redis"],
  },
  async (_, [id = ""], context) => {
    await running(await context.container(id)).unpause();
    return 0;
  },
);

export const taskDelete = ctrCommand(
  {
    name: "tasks delete",
    aliases: ["del", "remove", "rm"],
    summary: "forget how containers ended; they can be started again then",
    usage: "CONTAINER...",
    options: { force: { type: "boolean", short: "f", help: "kill those that run" } },
    examples: ["sampan ctr tasks delete redis"],
  },
  async ({ force }, ids, context) => {
    if (ids.length === 0) throw new CtrFailure("task id must be provided");
    let failure: Error | undefined;
    for (const id of ids) {
      try {
        await deleteTask(await context.container(id), force === true);
      } catch (error) {
        if (!(error instanceof CtrFailure) && !isSampanError(error)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return 0;
  },
);

async function deleteTask(container: Container, force: boolean): Promise<void> {
  const task = taskStatus(container);
  if (task === undefined) throw new CtrFailure(`no running task found: task ${container.name} not found: not found`);
  if (task.status !== "STOPPED" && task.status !== "UNKNOWN") {
    if (!force)
      throw new CtrFailure(`task must be stopped before deletion: ${task.status.toLowerCase()}: failed precondition`);
    await container.stop({ timeout: 0 });
  }
  const { state } = container;
  const status = state.status === "stopped" ? state.exit.status : 0;
  await container.forgetEnd();
  if (status !== 0) process.stderr.write(`task ${container.name} exit with non-zero exit code ${status}\n`);
}
