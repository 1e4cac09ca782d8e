/** The process of an exec: a file's, or the container's own with what the options change. */
import { invalidArgument } from "#errdefs";
import { readConfigFile } from "#runtime";
import { parseJson, parseProcessConfig, type ProcessConfig, type UserConfig } from "#spec";
import type { OptionDefinitions, OptionValues } from "../command.ts";

export const execOptions = {
  process: {
    type: "string",
    short: "p",
    value: "FILE",
    help: "process object of the runtime-spec, in place of a command",
  },
  "console-socket": { type: "string", value: "PATH", help: "unix socket that receives the terminal's master" },
  "pidfd-socket": { type: "string", value: "PATH", help: "unix socket that receives a pidfd of the process" },
  "pid-file": { type: "string", value: "FILE", help: "write the pid of the process to this file" },
  detach: { type: "boolean", short: "d", help: "do not wait for its end" },
  tty: { type: "boolean", short: "t", help: "give it a terminal" },
  cwd: { type: "string", value: "PATH", help: "working directory inside" },
  env: { type: "list", short: "e", value: "NAME=VALUE", help: "environment variable, beside the container's" },
  user: { type: "string", short: "u", value: "UID[:GID]", help: "user and group, by number" },
  "additional-gids": { type: "list", short: "g", value: "GID", help: "another group" },
  cap: { type: "list", short: "c", value: "NAME", help: "another capability" },
  "no-new-privs": { type: "boolean", help: "it can gain no privilege by exec" },
  apparmor: { type: "string", value: "PROFILE", help: "AppArmor profile" },
  "process-label": { type: "string", value: "LABEL", help: "SELinux label" },
  cgroup: { type: "list", value: "[CONTROLLER[,…]:]PATH", help: "cgroup below the container's to run in" },
  "preserve-fds": { type: "string", value: "N", help: "pass N descriptors from 3 on to the process" },
  "ignore-paused": { type: "boolean", help: "also in a paused container, where it waits for resume" },
} as const satisfies OptionDefinitions;

/** @param base the container's own process */
export function readExecProcess(
  values: OptionValues<typeof execOptions>,
  words: readonly string[],
  base: ProcessConfig,
): ProcessConfig {
  if (values.process !== undefined) {
    if (words.length > 0) throw invalidArgument("Cannot use a command: --process names one already");
    return parseProcessConfig(parseJson(readConfigFile(values.process)));
  }
  if (words.length === 0) throw invalidArgument("Cannot exec: neither a command nor --process is given");
  const added = values.cap;
  return {
    ...base,
    terminal: values.tty === true,
    consoleSize: undefined,
    args: words,
    env: [...base.env, ...values.env],
    ...(values.cwd !== undefined && { cwd: values.cwd }),
    user: readUser(values.user, values["additional-gids"], base.user),
    ...(added.length > 0 && { capabilities: withCapabilities(base, added) }),
    ...(values["no-new-privs"] !== undefined && { noNewPrivileges: values["no-new-privs"] }),
    ...(values.apparmor !== undefined && { apparmorProfile: values.apparmor }),
    ...(values["process-label"] !== undefined && { selinuxLabel: values["process-label"] }),
  };
}

/** Not to the inheritable and ambient sets: a program of another user would get them (CVE-2022-29162). */
function withCapabilities({ capabilities }: ProcessConfig, added: readonly string[]): ProcessConfig["capabilities"] {
  const names = added.map((name) => name.toUpperCase()).map((name) => (name.startsWith("CAP_") ? name : `CAP_${name}`));
  const merge = (set: readonly string[] | undefined): readonly string[] => [...new Set([...(set ?? []), ...names])];
  return {
    bounding: merge(capabilities?.bounding),
    effective: merge(capabilities?.effective),
    permitted: merge(capabilities?.permitted),
    inheritable: capabilities?.inheritable ?? [],
    ambient: capabilities?.ambient ?? [],
  };
}

/** Numbers only: names would have to be looked up in files that the container can change (CVE-2026-30892). */
function readUser(text: string | undefined, groups: readonly string[], base: UserConfig): UserConfig {
  const additionalGids = [...base.additionalGids, ...groups.map((g) => readId(g, "--additional-gids"))];
  if (text === undefined) return { ...base, additionalGids };
  const [uid = "", gid, more] = text.split(":");
  if (more !== undefined) throw invalidArgument(`Cannot parse --user "${text}": it is no user or group number`);
  return {
    ...base,
    uid: readId(uid, "--user"),
    gid: gid === undefined ? base.gid : readId(gid, "--user"),
    additionalGids,
  };
}

function readId(text: string, option: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id < 0xffff_ffff)) throw invalidArgument(`Cannot parse ${option} "${text}": it is no user or group number`);
  return id;
}
