import { Code, ConnectError } from "@connectrpc/connect";
import { failedPrecondition } from "#errdefs";
import { ContainerState, containerState } from "../containers/state.ts";
import type { CriContext } from "../context.ts";
import { refuse } from "../refuse.ts";
import type { RuntimePart } from "../service.ts";

interface Wanted {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Exec, attach and port-forward: each prepares a stream and answers the address where the client finds it. */
export function streamService({ containers, engine, pods, streaming }: CriContext): RuntimePart {
  /** @returns the full id of a container that runs */
  const running = (action: string, id: string): string => {
    const found = containers.get(id);
    if (containerState(found) !== ContainerState.CONTAINER_RUNNING)
      throw failedPrecondition(`Cannot ${action} container "${found.id}": it is not running`);
    return found.id;
  };

  return {
    exec({ containerId, cmd, tty, stdin, stdout, stderr }) {
      const container = running("exec in", containerId);
      if (cmd.length === 0 || cmd[0] === "") refuse(`exec in container "${container}"`, "cmd", "is empty");
      const wanted = checkedStreams(`exec in container "${container}"`, { tty, stdin, stdout, stderr });
      return { url: streaming.url({ kind: "exec", container, command: cmd, ...wanted }) };
    },

    attach({ containerId, tty, stdin, stdout, stderr }) {
      const container = running("attach to", containerId);
      const action = `attach to container "${container}"`;
      const isTerminal = containers.get(container).config.tty;
      if (tty !== isTerminal) refuse(action, "tty", `is ${tty}, and the container's is ${isTerminal}`);
      const wanted = checkedStreams(action, { tty, stdin, stdout, stderr });
      return { url: streaming.url({ kind: "attach", container, ...wanted }) };
    },

    portForward({ podSandboxId, port: ports }) {
      const { id: pod } = pods.get(podSandboxId);
      if (!engine.pods.isUp(pod))
        throw failedPrecondition(`Cannot forward ports to pod sandbox "${pod}": it is not ready`);
      const bad = ports.findIndex((port) => port < 1 || port > 65_535);
      if (bad >= 0) refuse(`forward ports to pod sandbox "${pod}"`, `port[${bad}]`, `${ports[bad]} is no port`);
      return { url: streaming.url({ kind: "portforward", pod, ports }) };
    },

    checkpointContainer({ containerId }) {
      const { id } = containers.get(containerId);
      throw notYet(`checkpoint container "${id}"`);
    },

    checkpointPod({ podSandboxId }) {
      const { id } = pods.get(podSandboxId);
      throw notYet(`checkpoint pod sandbox "${id}"`);
    },

    restorePod() {
      throw notYet("restore a pod sandbox");
    },
  };
}

/** The CRI's own rules: one stream at least, and a terminal has no stderr. */
function checkedStreams(action: string, wanted: Wanted): Wanted {
  const { tty, stdin, stdout, stderr } = wanted;
  if (tty && stderr) refuse(action, "stderr", "goes not with tty: a terminal has one output");
  if (!stdin && !stdout && !stderr) refuse(action, "stdin, stdout, stderr", "are all false: one must be wanted");
  return wanted;
}

const notYet = (action: string): ConnectError =>
  new ConnectError(`Cannot ${action}: this runtime makes no checkpoints yet`, Code.Unimplemented);
