import { invalidArgument } from "#errdefs";
import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";

/** Exec, attach and port-forward: each prepares a stream and answers the address where the client finds it. */
export function streamService({ containers, pods, streaming }: CriContext): RuntimePart {
  return {
    exec({ containerId, cmd, tty, stdin, stdout, stderr }) {
      const { id: container } = containers.get(containerId);
      if (cmd.length === 0) throw invalidArgument(`Cannot exec in container "${container}": cmd is empty`);
      return { url: streaming.url({ kind: "exec", container, command: cmd, tty, stdin, stdout, stderr }) };
    },

    attach({ containerId, tty, stdin, stdout, stderr }) {
      const { id: container } = containers.get(containerId);
      return { url: streaming.url({ kind: "attach", container, tty, stdin, stdout, stderr }) };
    },

    portForward({ podSandboxId, port: ports }) {
      const { id: pod } = pods.get(podSandboxId);
      return { url: streaming.url({ kind: "portforward", pod, ports }) };
    },
  };
}
