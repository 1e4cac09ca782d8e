/** Commands and options that runc 1.5 has: engines give them, so that each must be there, with the same short name. */
import { describe, expect, it } from "vitest";
import { commands } from "./commands.ts";
import { initialGlobals, parseGlobals } from "./globals.ts";

const create = ["bundle b", "console-socket", "pidfd-socket", "pid-file", "no-pivot", "no-new-keyring", "preserve-fds"];
const limits = [
  ...["resources r", "blkio-weight", "cpu-period", "cpu-quota", "cpu-burst", "cpu-share", "cpu-rt-period"],
  ...["cpu-rt-runtime", "cpuset-cpus", "cpuset-mems", "cpu-idle", "memory", "memory-reservation", "memory-swap"],
  ...["kernel-memory", "kernel-memory-tcp", "pids-limit", "l3-cache-schema", "mem-bw-schema"],
];
const exec = [
  ...[
    "console-socket",
    "pidfd-socket",
    "cwd",
    "env e",
    "tty t",
    "user u",
    "additional-gids g",
    "process p",
    "detach d",
  ],
  ...["pid-file", "process-label", "apparmor", "no-new-privs", "cap c", "preserve-fds", "cgroup", "ignore-paused"],
];

/** checkpoint and restore need CRIU, and come with it. */
const runc: Readonly<Record<string, readonly string[]>> = {
  create,
  delete: ["force f"],
  events: ["interval", "stats"],
  exec,
  features: [],
  kill: ["all a"],
  list: ["format f", "quiet q"],
  pause: [],
  ps: ["format f"],
  resume: [],
  run: [...create, "detach d", "keep", "no-subreaper"],
  spec: ["bundle b", "rootless"],
  start: [],
  state: [],
  update: limits,
};

describe("commands", () => {
  it.each(Object.entries(runc))("%s has runc's options, and no other meaning for their letters", (name, options) => {
    const own = Object.entries(commands.get(name)?.definition.options ?? {}).map(([option, { short }]) =>
      short === undefined ? option : `${option} ${short}`,
    );
    expect(options.filter((option) => !own.includes(option))).toEqual([]);
    const letters = own.map((option) => option.split(" ")[1]).filter((letter) => letter !== undefined);
    expect(new Set(letters).size).toBe(letters.length);
  });

  it("has what runc has, and mounts", () => {
    expect([...commands.keys()].toSorted()).toEqual([...Object.keys(runc), "mounts"].toSorted());
  });
});

describe("parseGlobals()", () => {
  it.each([
    ["--debug"],
    ["--systemd-cgroup"],
    ["--log", "/l"],
    ["--log-format", "json"],
    ["--root", "/r"],
    ["--rootless", "auto"],
    ["--rootless=false"],
    ["--criu", "/usr/sbin/criu"],
  ])("knows runc's %s", (...words) => {
    const { request } = parseGlobals([...words, "list"], { globals: initialGlobals });
    expect(request).toEqual({ kind: "command", words: ["list"] });
  });

  it.each([[["--help"]], [["-h"]]])("knows %j", (words) => {
    expect(parseGlobals(words, { globals: initialGlobals }).request.kind).toBe("help");
    expect(parseGlobals(["-v"], { globals: initialGlobals }).request.kind).toBe("version");
  });
});
