/** What the benchmark measures: one way to run `true` in a container, over and over. */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** The place in which all subjects run: directories, images and cgroups of the test host. */
export interface Place {
  /** Empty directory for the subjects' own files. */
  readonly directory: string;
  /** Root directory of the image. */
  readonly rootfs: string;
  /** The image as an OCI archive, named `localhost/bench:1`. */
  readonly archive: string;
  /** The image in a registry on loopback, for who pulls. */
  readonly reference: string;
  /** Name of the cgroup that holds the subjects', without a slash. */
  readonly cgroup: string;
  /** Compiled `floor.c` and `stopwatch.c`. */
  readonly floor: string;
  readonly stopwatch: string;
}

export interface Subject extends AsyncDisposable {
  readonly name: string;
  /** Version of the program, where it has one. */
  readonly version?: string;
  /**
   * Runs containers one after another.
   *
   * @param gap milliseconds of sleep before each
   * @returns milliseconds that each took, at least one
   */
  sample(gap: number): Promise<readonly number[]>;
}

/** Makes a subject ready, or says why it cannot be measured here. */
export type Prepare = (place: Place) => Promise<Subject | { readonly name: string; readonly skipped: string }>;

export const run = promisify(execFile);

/** How many samples an in-process subject takes in a row: fewer where it sleeps a second before each. */
export const rowLength = (gap: number): number => (gap >= 1000 ? 2 : 20);

/** A subject that is a command. `argv` gets a number that is new each time, for names. */
export function command(
  place: Place,
  name: string,
  argv: (serial: number) => readonly string[],
  more: { readonly version?: string; readonly close?: () => Promise<void> } = {},
): Subject {
  let serial = 0;
  return {
    name,
    ...(more.version === undefined ? {} : { version: more.version }),
    async sample(gap) {
      const { stdout } = await run(place.stopwatch, [String(gap), ...argv(++serial)]);
      return [Number(stdout)];
    },
    async [Symbol.asyncDispose]() {
      await more.close?.();
    },
  };
}

/** Whether a program is in PATH, or is the path of one. */
export async function isInstalled(program: string): Promise<boolean> {
  if (program.includes("/"))
    return await access(program).then(
      () => true,
      () => false,
    );
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = await access(join(directory, program)).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** The first number with dots in what a program prints about its version. */
export async function versionOf(program: string): Promise<string> {
  const { stdout } = await run(program, ["--version"]);
  return /\d+\.\d+(?:\.\d+)?\S*/.exec(stdout)?.[0] ?? stdout.trim();
}
