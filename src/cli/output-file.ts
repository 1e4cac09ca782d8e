/** Where a command's bytes go: a file that appears only when it is complete, or the standard output. */
import { open, rename, rm } from "node:fs/promises";
import { failedPrecondition, fromSystemError } from "#errdefs";

export interface Output extends AsyncDisposable {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Makes the file visible. Without it nothing is left of it. */
  readonly commit: () => Promise<void>;
}

/** @throws SampanError `failed-precondition` when a terminal would get it */
export async function openOutput(path: string | undefined): Promise<Output> {
  return path === undefined || path === "-" ? standardOutput() : await outputFile(path);
}

function standardOutput(): Output {
  const { stdout } = process;
  if (stdout.isTTY) {
    throw failedPrecondition('Cannot write the archive to "stdout": it is a terminal', {
      remedy: "Name a file with -o, or redirect the output",
    });
  }
  let closed: (() => void) | undefined;
  stdout.once("close", () => closed?.());
  return {
    write: async (chunk) => {
      if (stdout.destroyed) throw failedPrecondition('Cannot write the archive to "stdout": its reader has gone');
      if (stdout.write(chunk)) return;
      await new Promise<void>((resolve) => {
        closed = resolve;
        stdout.once("drain", resolve);
      });
    },
    commit: async () => {
      await new Promise<void>((resolve) => void stdout.write("", () => resolve()));
    },
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
}

async function outputFile(path: string): Promise<Output> {
  const temporary = `${path}.${process.pid}.partial`;
  const file = await open(temporary, "wx", 0o644).catch((error: unknown) => {
    throw fromSystemError(error) ?? error;
  });
  let done = false;
  return {
    write: async (chunk) => {
      await file.writeFile(chunk);
    },
    commit: async () => {
      await file.sync();
      await rename(temporary, path);
      done = true;
    },
    [Symbol.asyncDispose]: async () => {
      await file.close();
      if (!done) await rm(temporary, { force: true });
    },
  };
}
