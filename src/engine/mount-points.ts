/**
 * A layer below every image's: empty directories and files for what is mounted in each container. Where an image has none of
 * its own, they need not be made in the container's writable layer then, which would copy directories up into it. The image's
 * own come first.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

const directories = ["dev", "etc", "proc", "sys"];
const files = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/** Makes what is missing of it. Safe for several processes at once. */
export function makeMountPoints(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const name of directories) {
    mkdirSync(join(directory, name), { recursive: true });
    chmodSync(join(directory, name), 0o755);
  }
  for (const name of files) closeSync(openSync(join(directory, name), "a", 0o644));
}
