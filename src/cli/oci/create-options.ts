/** Options that create and run have in common. */
import { fstatSync } from "node:fs";
import { invalidArgument, unsupported } from "#errdefs";
import { fromHere, readBundle, type OciCreateOptions } from "#runtime";
import type { OptionDefinitions, OptionValues } from "../command.ts";
import type { OciContext } from "./command.ts";

export const createOptions = {
  bundle: { type: "string", short: "b", value: "DIR", help: "the bundle (default: this directory)" },
  config: { type: "string", short: "f", value: "FILE", help: "its configuration, in place of config.json" },
  "console-socket": { type: "string", value: "PATH", help: "unix socket that receives the terminal's master" },
  "pidfd-socket": { type: "string", value: "PATH", help: "unix socket that receives a pidfd of the first process" },
  "pid-file": { type: "string", value: "FILE", help: "write the pid of the first process to this file" },
  "no-pivot": { type: "boolean", help: "move the root in place of pivot_root, where that is a ramdisk" },
  "no-new-keyring": { type: "boolean", help: "keep the caller's session keyring" },
  "preserve-fds": { type: "string", value: "N", help: "pass N descriptors from 3 on to the container" },
} as const satisfies OptionDefinitions;

/** What the caller's options come to. */
export function readCreateOptions(
  values: OptionValues<typeof createOptions>,
  context: OciContext,
  foreground: boolean,
): OciCreateOptions {
  if (context.globals.systemdCgroup)
    throw unsupported("Cannot use --systemd-cgroup: the systemd cgroup driver is not supported yet");
  const bundle = readBundle(values.bundle ?? ".", values.config);
  const listen = listenDescriptors();
  const preserve = listen + preservedDescriptors(values["preserve-fds"]);
  checkDescriptors(preserve);
  const { process: container } = bundle.config;
  if (container === undefined) throw invalidArgument("Cannot read config: process must be an object");
  const consoleSocket = values["console-socket"] ?? "";
  checkConsole(container.terminal, consoleSocket, !foreground);
  const config =
    listen === 0
      ? bundle.config
      : { ...bundle.config, process: { ...container, env: [...container.env, ...listenVariables(listen)] } };
  return {
    bundle: { ...bundle, config },
    consoleSocket: consoleSocket === "" ? "" : fromHere(consoleSocket),
    pidfdSocket: values["pidfd-socket"] === undefined ? "" : fromHere(values["pidfd-socket"]),
    pidFile: values["pid-file"] === undefined ? "" : fromHere(values["pid-file"]),
    preserve,
    noPivot: values["no-pivot"] === true,
    newKeyring: values["no-new-keyring"] !== true,
    foreground,
  };
}

/** A terminal's master must go to somebody. */
export function checkConsole(terminal: boolean, consoleSocket: string, detached: boolean): void {
  if (detached && terminal && consoleSocket === "")
    throw invalidArgument("Cannot allocate tty: nobody would hold it", {
      remedy: "Give --console-socket, or run without --detach",
    });
  if (detached && !terminal && consoleSocket !== "")
    throw invalidArgument("Cannot use --console-socket: the process has no terminal");
  if (!detached && consoleSocket !== "")
    throw invalidArgument("Cannot use --console-socket: it needs --detach, since the terminal is this one otherwise");
}

/** Descriptors that a service manager passes (sd_listen_fds(3)): the container's first ones. */
export function listenDescriptors(): number {
  const text = process.env["LISTEN_FDS"] ?? "";
  if (text === "") return 0;
  if (!/^\d{1,4}$/.test(text)) throw invalidArgument(`Cannot use LISTEN_FDS "${text}": it is no number`);
  return Number(text);
}

export const listenVariables = (count: number): readonly string[] => [`LISTEN_FDS=${count}`, "LISTEN_PID=1"];

export function preservedDescriptors(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,4}$/.test(text)) throw invalidArgument(`Cannot parse --preserve-fds "${text}": it is no number`);
  return Number(text);
}

export function checkDescriptors(count: number): void {
  for (let fd = 3; fd < count + 3; fd += 1)
    try {
      fstatSync(fd);
    } catch (error) {
      throw invalidArgument(`Cannot preserve descriptor ${fd}: it is not open`, { cause: error });
    }
}
