/** The service `sampan.v1.Containers`. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { invalidArgument } from "#errdefs";
import type { Container, ContainerOptions, ContainerSummary, ExecOptions, LogEntry, WaitCondition } from "#engine";
import { toMessage, toPlain } from "../codec/plain.ts";
import {
  Containers,
  ContainerSummarySchema,
  ExitStatusSchema,
  LogsResponseSchema,
  SessionResponseSchema,
  UpdateOptionsSchema,
  type ExecOptions as ExecMessage,
  type LogsResponse,
} from "../gen/sampan/v1/containers_pb.ts";
import {
  ContainerOptionsSchema,
  type ContainerOptions as ContainerOptionsMessage,
} from "../gen/sampan/v1/options_pb.ts";
import { batches } from "./batches.ts";
import type { ApiContext } from "./context.ts";
import { clientCredentials } from "./credentials.ts";
import { opening, serveSession, stallOf } from "./sessions.ts";

const summaryMessage = (summary: ContainerSummary) => toMessage(ContainerSummarySchema, summary);

export function containersService({ engine }: ApiContext): ServiceImpl<typeof Containers> {
  /** An empty name would be the beginning of every id. */
  const find = (name: string): Container => {
    if (name === "") throw invalidArgument("Cannot find a container: no name is given");
    return engine.get(name);
  };
  return {
    async create({ options: message, credentials }, { signal }) {
      if (message === undefined) throw invalidArgument("Cannot make a container: no options are given");
      const options = withSecrets(toPlain(ContainerOptionsSchema, message) as unknown as ContainerOptions, message);
      const container = await engine.create(options, {
        signal,
        ...(credentials && clientCredentials(options.image, credentials)),
      });
      return { container: summaryMessage(container.summary()) };
    },

    async start({ container }) {
      await find(container).start();
      return {};
    },

    async wait({ container, condition }, { signal }) {
      const wanted = waitCondition(condition);
      const exit = await find(container).wait({ signal, ...(wanted !== undefined && { condition: wanted }) });
      return { exit: toMessage(ExitStatusSchema, exit) };
    },

    async restart({ container, signal, timeout }) {
      await find(container).restart({
        ...(signal !== undefined && { signal }),
        ...(timeout !== undefined && { timeout }),
      });
      return {};
    },

    async pause({ container }) {
      await find(container).pause();
      return {};
    },

    async unpause({ container }) {
      await find(container).unpause();
      return {};
    },

    rename({ container, name }) {
      find(container).rename(name);
      return {};
    },

    async update({ container, options }) {
      const changes = options === undefined ? {} : toPlain(UpdateOptionsSchema, options);
      return { warnings: [...(await find(container).update(changes))] };
    },

    async top({ container, options }) {
      const { titles, processes } = await find(container).top(options);
      return { titles: [...titles], processes: processes.map((values) => ({ values: [...values] })) };
    },

    async size({ container }) {
      return engine.containerSize(find(container).id);
    },

    noteDetached({ container }) {
      find(container).noteDetached();
      return {};
    },

    async stop({ container, signal, timeout }) {
      await find(container).stop({
        ...(signal !== undefined && { signal }),
        ...(timeout !== undefined && { timeout }),
      });
      return {};
    },

    async kill({ container, signal }) {
      await find(container).kill(signal === "" ? undefined : signal);
      return {};
    },

    async remove({ container, force, volumes }) {
      await find(container).remove({ force, volumes });
      return {};
    },

    get({ container: name }) {
      const container = find(name);
      return {
        container: summaryMessage(container.summary()),
        options: toMessage(ContainerOptionsSchema, plainOptions(container.options)),
      };
    },

    list({ filters }) {
      return { containers: engine.list(plainFilters(filters)).map(summaryMessage) };
    },

    inspect({ container }) {
      // JSON's null and nothing else: what is undefined in the engine's object is not there.
      return { details: JSON.parse(JSON.stringify(find(container).inspect())) };
    },

    async *logs({ container, follow, tail, since, until }, { signal }) {
      const entries = find(container).logs({
        follow,
        signal,
        ...(tail !== undefined && { tail }),
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
      });
      for await (const batch of batches(entries)) yield logsMessage(batch);
    },

    async *attach(requests, context) {
      const { open, rest } = await opening(requests);
      const container = find(open.container);
      const wanted = { stdin: open.stdin, output: open.output };
      const session = open.start
        ? await container.start({ attach: open.size === undefined ? wanted : { ...wanted, size: open.size } })
        : await container.attach(wanted);
      if (!open.start && open.size !== undefined) session.resize(open.size.columns, open.size.rows);
      leaveWith(context, session);
      yield* serveSession(session, 0, rest, open.start ? stallOf.started : stallOf.attached);
    },

    async *exec(requests, context) {
      const { open, rest } = await opening(requests);
      yield* exec(open, context, rest);
    },

    async *execOutput(request, context) {
      yield* exec({ ...request, openStdin: false }, context, undefined);
    },
  };

  async function* exec(
    open: ExecMessage,
    context: HandlerContext,
    rest: Parameters<typeof serveSession>[2],
  ): ReturnType<typeof serveSession> {
    const session = await find(open.container).exec(execOptions(open));
    if (open.detach) {
      yield create(SessionResponseSchema, { message: { case: "opened", value: { pid: session.pid } } });
      session.close();
      return;
    }
    leaveWith(context, session);
    yield* serveSession(session, session.pid, rest);
  }
}

/** Filters by their keys. */
export function plainFilters(
  filters: Readonly<Record<string, { readonly values: readonly string[] }>>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(filters).map(([key, { values }]) => [key, values]));
}

function waitCondition(text: string): WaitCondition | undefined {
  if (text === "") return undefined;
  if (text === "not-running" || text === "next-exit" || text === "removed") return text;
  throw invalidArgument(`Cannot wait until "${text}": it is not-running, next-exit or removed`);
}

/** A client that goes away while nothing is sent would not be noticed otherwise. */
function leaveWith({ signal }: HandlerContext, session: { close(): void }): void {
  if (signal.aborted) session.close();
  signal.addEventListener("abort", () => session.close(), { once: true });
}

/** The content of secrets is what the client sent: no file and no variable of this process. */
function withSecrets(options: ContainerOptions, { secrets }: ContainerOptionsMessage): ContainerOptions {
  if (secrets.length === 0) return options;
  return {
    ...options,
    secrets: secrets.map(({ name, target, data, uid, gid, mode }) => ({
      name,
      target,
      source: { data },
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
      ...(mode !== undefined && { mode }),
    })),
  };
}

/** Variables may be an object in the library; secrets are told to nobody. */
function plainOptions({ secrets, ...options }: ContainerOptions): ContainerOptions {
  void secrets;
  const { env } = options;
  if (env === undefined || Array.isArray(env)) return options;
  return { ...options, env: Object.entries(env).map(([name, value]) => `${name}=${value}`) };
}

function execOptions(open: ExecMessage): ExecOptions {
  const { command, env, workdir, user, tty, openStdin, consoleSize, privileged, detach } = open;
  return {
    command,
    env,
    tty,
    openStdin: openStdin && !detach,
    output: !detach,
    ...(consoleSize && { consoleSize: { columns: consoleSize.columns, rows: consoleSize.rows } }),
    ...(privileged && { privileged }),
    ...(user !== undefined && { user }),
    ...(workdir !== undefined && { workdir }),
  };
}

function logsMessage(entries: readonly LogEntry[]): LogsResponse {
  return create(LogsResponseSchema, {
    entries: entries.map(({ time, stream, complete, text }) => ({
      time,
      stream: stream === "stderr" ? 2 : 1,
      partial: !complete,
      text,
    })),
  });
}
