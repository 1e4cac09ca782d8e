/** Root sources of snapshots, mounted by mount(8), for looking at them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RootSource } from "#snapshots";

/** Mounts that are undone together. */
export class Mounts {
  readonly #paths: string[] = [];

  /** Mounts a root source on a new directory and gives its path. */
  mount(source: RootSource): string {
    const path = mkdtempSync("/tmp/sampan-test-mount-");
    if (source.kind === "directory") execFileSync("mount", ["--bind", source.path, path]);
    else {
      const lower = source.lower.map((layer) => layer.replace(/[\\:,]/g, "\\$&")).join(":");
      const writable = source.upper === "" ? [] : [`upperdir=${source.upper}`, `workdir=${source.work}`];
      execFileSync("mount", ["-t", "overlay", "-o", [`lowerdir=${lower}`, ...writable].join(), "overlay", path]);
    }
    this.#paths.push(path);
    return path;
  }

  /** Mounts a new tmpfs of `size` bytes. */
  tmpfs(size: number, options = ""): string {
    const path = mkdtempSync("/tmp/sampan-test-mount-");
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}${options}`, "tmpfs", path]);
    this.#paths.push(path);
    return path;
  }

  unmountAll(): void {
    for (const path of this.#paths.splice(0).toReversed()) {
      execFileSync("umount", [path]);
      rmSync(path, { recursive: true });
    }
  }
}

/** A new directory for one test, below /tmp. */
export const scratch = (): string => mkdtempSync(join("/tmp", "sampan-test-"));
