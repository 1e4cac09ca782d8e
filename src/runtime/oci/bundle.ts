/** An OCI bundle: a directory with a config.json and, most often, the root filesystem (runtime-spec bundle.md). */
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { failedPrecondition, invalidArgument, notFound } from "#errdefs";
import { parseRuntimeConfigText, type RuntimeConfig } from "#spec";

/** Largest config.json that is read, in bytes. */
const maxConfig = 4 * 1024 * 1024;
/** Bytes that are read at first from what has no size. */
const firstRead = 16 * 1024;

export interface Bundle {
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly config: RuntimeConfig;
  /** The file as it was read. */
  readonly text: string;
  /** Absolute directory of the root filesystem. */
  readonly rootfs: string;
}

/**
 * Reads and checks a bundle.
 *
 * @param configFile in place of `config.json`, relative to the bundle
 * @throws SampanError `not-found`, or `invalid-argument` that names the JSON path
 */
export function readBundle(directory: string, configFile = "config.json"): Bundle {
  let path: string;
  try {
    path = realpathSync(directory);
  } catch (error) {
    throw notFound(`Cannot use bundle "${directory}": no such file or directory`, { cause: error, path: directory });
  }
  const file = resolve(path, configFile);
  const text = readConfigFile(file);
  const config = parseRuntimeConfigText(text);
  if (config.root === undefined) throw invalidArgument("Cannot read config: root must be an object");
  const rootfs = resolve(path, config.root.path);
  if (rootfs === "/") throw invalidArgument('Cannot read config: root.path must not be "/"');
  checkDirectory(rootfs);
  return { path, config, text, rootfs };
}

/** A file's text, at most 4 MiB of it; `-` is stdin. */
export function readConfigFile(file: string): string {
  if (file === "-") return readText(0, "standard input");
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw notFound(`Cannot read "${file}": no such file or directory`, { cause: error, path: file });
    throw error;
  }
  try {
    return readText(fd, `"${file}"`);
  } finally {
    closeSync(fd);
  }
}

function readText(fd: number, name: string): string {
  const tooLarge = (): Error => invalidArgument(`Cannot read ${name}: it is larger than ${maxConfig} bytes`);
  const { size } = fstatSync(fd);
  if (size > maxConfig) throw tooLarge();
  // A pipe has no size: what comes counts.
  let buffer = Buffer.allocUnsafe(Math.max(size + 1, firstRead));
  let used = 0;
  for (;;) {
    const n = readSome(fd, buffer, used);
    if (n === 0) return buffer.toString("utf8", 0, used);
    used += n;
    if (used > maxConfig) throw tooLarge();
    if (used === buffer.length) buffer = Buffer.concat([buffer], used * 2);
  }
}

/** Waits where nothing is there yet, also on a stream that somebody has made non-blocking. */
function readSome(fd: number, buffer: Buffer, at: number): number {
  for (;;)
    try {
      return readSync(fd, buffer, at, buffer.length - at, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
}

function checkDirectory(path: string): void {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch (error) {
    throw notFound(`Cannot use root "${path}": no such file or directory`, { cause: error, path });
  }
  if (!isDirectory) throw failedPrecondition(`Cannot use root "${path}": it is not a directory`, { path });
}

/** Absolute path of a file named on the command line. */
export const fromHere = (path: string): string => (path.startsWith("/") ? path : join(process.cwd(), path));
