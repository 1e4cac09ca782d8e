import { expect, test } from "vitest";
import { command, type CommandDefinition } from "./command.ts";
import { commandNames, findCommand, loadCommands } from "./commands.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { nearest, parseCommand } from "./parse.ts";
import { containerOptions } from "./container-options.ts";
import { runFlags } from "./run-flags.ts";

const { definition } = command(
  {
    name: "try",
    summary: "",
    usage: "X",
    positionals: [1, 3],
    passthrough: true,
    options: {
      all: { type: "boolean", short: "a", help: "" },
      size: { type: "string", short: "s", help: "" },
      env: { type: "list", short: "e", help: "" },
    },
    examples: [],
  },
  () => Promise.resolve(0),
);
const parse = (...argv: string[]) => parseCommand(definition, argv);
const run: CommandDefinition<typeof runFlags> = {
  name: "run",
  summary: "",
  usage: "IMAGE",
  positionals: [1, Infinity],
  passthrough: true,
  options: runFlags,
  examples: [],
};
const options = (...argv: string[]) => {
  const parsed = parseCommand(run, argv);
  return containerOptions(parsed.options, parsed.positionals);
};

test("parseCommand() takes every spelling of an option, and stops at the first positional argument", () => {
  const expected = { options: { all: true, size: "3", env: ["A=1", "B=2"] }, positionals: ["img", "-a"], help: false };
  expect(parse("-a", "-s", "3", "-e", "A=1", "-eB=2", "img", "-a")).toEqual(expected);
  expect(parse("--all", "--size=3", "--env", "A=1", "--env=B=2", "img", "-a")).toEqual(expected);
  expect(parse("-as3", "-e=A=1", "-e", "B=2", "img", "-a")).toEqual(expected);
  expect(parse("--no-all", "--", "-x").options).toEqual({ all: false, env: [] });
});

test("parseCommand() says what is wrong and what to write", () => {
  expect(() => parse("--siez", "3", "x")).toThrow('Cannot parse "--siez": try has no such option');
  expect(() => parse("-z", "x")).toThrow('Cannot parse "-z": try has no such option');
  expect(() => parse("--size")).toThrow('Cannot parse "--size": it needs a value');
  expect(() => parse("--all=maybe", "x")).toThrow("--all takes true or false");
  expect(() => parse()).toThrow("Cannot run try: it takes X");
  expect(() => parse("--constructor", "x")).toThrow("no such option");
});

test("nearest() finds a word that is nearly the same, and none otherwise", () => {
  expect(nearest("imgaes", ["images", "run"])).toBe("images");
  expect(nearest("xyz", ["images", "run"])).toBeUndefined();
});

test("findCommand() takes commands of two words, and Docker's longer words for one", async () => {
  const find = async (...words: string[]) => {
    const found = findCommand(words);
    return found && [(await found.load()).definition.name, found.words];
  };
  expect(await find("images", "-q")).toEqual(["images", 1]);
  expect(await find("image", "ls")).toEqual(["images", 2]);
  expect(await find("image", "inspect", "x")).toEqual(["image inspect", 2]);
  expect(await find("image")).toBeUndefined();
  expect(await find("image", "paint")).toBeUndefined();
});

test("every command has help with an example, and no two options share a letter", async () => {
  const commands = await loadCommands();
  expect(generalHelp([...commands.values()].map((c) => c.definition))).toContain("Make a container from an image");
  expect([...commands.values()].map((c) => c.definition.name)).toStrictEqual(commandNames);
  for (const { definition } of commands.values()) {
    expect(commandHelp(definition)).toContain(`sampan ${definition.name}`);
    expect(definition.examples.length).toBeGreaterThan(0);
    const letters = Object.values(definition.options).flatMap((o) => o.short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  }
});

test("containerOptions() reads volumes, mounts and tmpfs", () => {
  expect(
    options(
      "-v",
      "/a:/b:ro",
      "-v",
      "data:/d:nocopy",
      "-v",
      "/anon",
      "--tmpfs",
      "/t:size=1m,mode=700",
      "--mount",
      "type=bind,src=/x,dst=/y,readonly",
      "i",
    ).mounts,
  ).toEqual([
    { type: "bind", source: "/a", target: "/b", readOnly: true },
    { type: "volume", source: "data", target: "/d", noCopy: true },
    { type: "volume", target: "/anon" },
    { type: "bind", source: "/x", target: "/y", readOnly: true },
    { type: "tmpfs", target: "/t", tmpfsOptions: ["size=1m", "mode=700"] },
  ]);
});

test("containerOptions() reads limits, devices and security options", () => {
  expect(
    options(
      "-m",
      "64m",
      "--cpus",
      "0.5",
      "--ulimit",
      "nofile=10:20",
      "--device",
      "/dev/fuse:r",
      "--sysctl",
      "net.core.somaxconn=9",
      "--security-opt",
      "no-new-privileges",
      "--security-opt",
      "seccomp=unconfined",
      "--pids-limit=-1",
      "i",
      "sh",
      "-c",
      "x",
    ),
  ).toEqual({
    image: "i",
    command: ["sh", "-c", "x"],
    memory: "64m",
    cpus: "0.5",
    ulimits: [{ name: "nofile", soft: 10, hard: 20 }],
    devices: [{ hostPath: "/dev/fuse", path: "/dev/fuse", permissions: "r" }],
    sysctls: { "net.core.somaxconn": "9" },
    noNewPrivileges: true,
    seccomp: "unconfined",
    pidsLimit: -1,
  });
});

test("containerOptions() refuses malformed values by name", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["-v", "a:b:c:d", "--volume"],
    ["-v", "/a:/b:bad", "no option of a volume"],
    ["--mount", "type=nfs,dst=/x", "type is bind, volume, tmpfs or image"],
    ["--mount", "type=bind,dst=/x", "src is missing"],
    ["--ulimit", "nofile", "NAME=VALUE"],
    ["--ulimit", "nofile=5:3", "soft limit is above"],
    ["--device", "fuse", "--device"],
    ["--security-opt", "label=x", "only seccomp"],
    ["--security-opt", "seccomp=/nonexistent.json", "seccomp profile"],
    ["--pids-limit", "many", "--pids-limit"],
    ["--env-file", "/nonexistent", "--env-file"],
    ["--pull", "sometimes", "--pull"],
  ];
  for (const [flag, value, message] of cases)
    expect(() => options(flag, value, "i"), `${flag} ${value}`).toThrow(message);
});
