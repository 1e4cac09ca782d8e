/** What the tests of keel share: a root filesystem of busybox, and programs that write what they see to a directory. */
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KeelExecutor } from "#keel";
import type { Operation } from "#plan";

const built = (name: string): string => fileURLToPath(new URL(`../../build/native/${name}`, import.meta.url));

/** The binary as it ships, and the one with sanitizers when it was built. */
export const binaries: readonly (readonly [name: string, path: string])[] = (
  [
    ["keel", built("keel")],
    ["keel-sanitized", built("keel-sanitized")],
  ] as const
).filter(([, path], index) => index === 0 || existsSync(path));

export const ns = {
  time: 0x80n,
  mnt: 0x20000n,
  cgroup: 0x2000000n,
  uts: 0x4000000n,
  ipc: 0x8000000n,
  user: 0x10000000n,
  pid: 0x20000000n,
  net: 0x40000000n,
} as const;

export const attribute = { readOnly: 1n, noSuid: 2n, noDev: 4n, noExec: 8n } as const;
const slave = 1n << 19n;

/** All namespaces but user, cgroup and time. */
export const ordinary = ns.mnt | ns.uts | ns.ipc | ns.pid | ns.net;

export const clone = (namespaces: bigint = ordinary, cgroup = ""): Operation => ({ op: "clone", namespaces, cgroup });
export const propagation: Operation = { op: "propagation", mode: slave, recursive: true };
export const pivot: Operation = { op: "pivot-root" };
export const proc: Operation = {
  op: "mount",
  type: "proc",
  source: "proc",
  target: "/proc",
  attributes: attribute.noSuid | attribute.noDev | attribute.noExec,
  parameters: [],
  mode: 0o755,
};
export const tmpfs = (target: string, ...parameters: { key: string; value: string }[]): Operation => ({
  op: "mount",
  type: "tmpfs",
  source: "tmpfs",
  target,
  attributes: attribute.noSuid,
  parameters,
  mode: 0o755,
});
export const bind = (
  source: string,
  target: string,
  more: Partial<Extract<Operation, { op: "bind" }>> = {},
): Operation => ({
  op: "bind",
  source,
  target,
  recursive: true,
  set: 0n,
  clear: 0n,
  setRecursive: 0n,
  clearRecursive: 0n,
  propagation: 0n,
  propagationRecursive: false,
  ...more,
});
export const rootBind = (path: string): Operation => ({ op: "root-bind", path, recursive: true });
export const directory = (path: string, mode = 0o755): Operation => ({ op: "directory", path, mode, uid: 0, gid: 0 });
export const exec = (...args: string[]): Operation => ({
  op: "exec",
  arguments: args,
  environment: ["PATH=/bin", "HOME=/"],
  init: false,
});

/** A temporary directory with a root filesystem and a directory for results, gone at the end of the scope. */
export class Box implements AsyncDisposable {
  readonly base: string;
  readonly keel: KeelExecutor;

  private constructor(base: string, keel: KeelExecutor) {
    this.base = base;
    this.keel = keel;
  }

  static async make(binary: string): Promise<Box> {
    const box = new Box(await mkdtemp(join(tmpdir(), "keel-test-")), new KeelExecutor(binary));
    await chmod(box.base, 0o755);
    for (const name of ["bin", "proc", "dev", "etc", "tmp"]) await mkdir(join(box.root, name), { recursive: true });
    await copyFile("/bin/busybox", join(box.root, "bin/busybox"));
    await chmod(join(box.root, "bin/busybox"), 0o755);
    for (const name of ["sh", "cat", "ls", "readlink"]) await symlink("busybox", join(box.root, "bin", name));
    await mkdir(box.out);
    await chmod(box.out, 0o777);
    return box;
  }

  get root(): string {
    return join(this.base, "root");
  }

  get out(): string {
    return join(this.base, "out");
  }

  /** A program's end: a shell that writes its output to `out`, which is bound to /out. */
  shell(script: string): Operation {
    return exec("/bin/sh", "-c", `{ ${script}; } > /out/part 2>&1; /bin/busybox mv /out/part /out/whole`);
  }

  /** Runs a program that ends in {@link Box.shell}, and gives what that wrote. */
  async output(program: readonly Operation[]): Promise<string> {
    const file = join(this.out, "whole");
    await this.keel.execute(program);
    for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 5))) {
      if (!existsSync(file)) continue;
      const text = await readFile(file, "utf8");
      await rm(file);
      return text;
    }
    throw new Error("the container's program wrote nothing");
  }

  /** The most ordinary container: `setup` in a bound root, then `late` after pivot_root, then the script. */
  run(script: string, setup: readonly Operation[] = [], late: readonly Operation[] = []): Promise<string> {
    return this.output([
      clone(),
      propagation,
      rootBind(this.root),
      proc,
      bind(this.out, "/out"),
      ...setup,
      pivot,
      ...late,
      this.shell(script),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keel[Symbol.asyncDispose]();
    await rm(this.base, { recursive: true, force: true });
  }
}
