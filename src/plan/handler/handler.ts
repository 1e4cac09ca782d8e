/**
 * Runtime handlers: other OCI runtimes that make containers in place of this one. Their command line is runc's: `create`,
 * `start`, `delete`, `exec`, `kill`, with a bundle, a file for the pid and a socket for the terminal.
 */

/**
 * `oci`: the container's process is a process of this kernel, in cgroups of the runtime's making (runc, crun). `runsc`: it
 * runs in gVisor, where only its sandbox is a process here, which is put into cgroups like a container. `kata`: in a
 * virtual machine.
 */
export type HandlerType = "oci" | "runsc" | "kata";

/** What a handler is, found and checked. */
export interface RuntimeHandler {
  readonly name: string;
  /** Absolute path of the runtime. */
  readonly path: string;
  /** Before the command, in every call. */
  readonly arguments: readonly string[];
  readonly type: HandlerType;
  /** Mounts of the host that it does not get along with: it does not see them. */
  readonly hides?: readonly string[];
  /** runsc's own network stack does not start on this kernel: programs use the kernel's, in the container's namespace. */
  readonly kernelNetwork?: boolean;
}

/** One container of a handler's. */
export interface HandlerContainer {
  readonly handler: RuntimeHandler;
  /** Its id for the runtime. */
  readonly id: string;
  /** Directory in which the runtime keeps what it knows of its containers. */
  readonly root: string;
  /** Its processes are in the host's network. */
  readonly hostNetwork: boolean;
  /** Of a pod with one sandbox: which one, and whether this is the container that it is made with. */
  readonly sandbox?: { readonly id: string; readonly first: boolean };
}

/** With the kernel's network it is the sandbox that binds a container's ports, and that has no privilege for low ones. */
export const kernelPorts = { key: "net/ipv4/ip_unprivileged_port_start", value: "0" } as const;

/** Whether all of a pod's containers are in one sandbox. */
export const sharesSandbox = ({ type }: RuntimeHandler): boolean => type !== "oci";

/** Whether its process only waits for one in another's sandbox. */
export const isInSandbox = ({ sandbox }: HandlerContainer): boolean => sandbox?.first === false;

/** Milliseconds that a runtime has for one command. */
export const handlerTimeout = 60_000;

/** A call of the runtime. */
export function handlerCommand(
  { handler, root, hostNetwork }: HandlerContainer,
  log: string,
  words: readonly string[],
): readonly string[] {
  const network = hostNetwork || handler.kernelNetwork === true ? ["--network=host"] : [];
  const own = handler.type === "runsc" ? ["--ignore-cgroups", ...network] : [];
  return [handler.path, `--root=${root}`, `--log=${log}`, "--log-format=json", ...own, ...handler.arguments, ...words];
}
