/** Where a command's bytes come from: a file, the standard input, or an address. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { failedPrecondition, fromSystemError, invalidArgument, notFound, unavailable } from "#errdefs";

const chunkSize = 1024 * 1024;

/**
 * @param source `-`, a path, or an address with `http://` or `https://`
 * @throws SampanError `not-found`, `permission-denied`, `unavailable`, `failed-precondition` (a terminal)
 */
export async function openInput(source: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (source === "-") return standardInput();
  if (/^https?:\/\//i.test(source)) return await download(source, signal);
  try {
    // It is said here, and not in the midst of what is done with it.
    await using file = await open(source);
    if ((await file.stat()).isDirectory())
      throw invalidArgument(`Cannot read "${source}": it is a directory`, { remedy: "Name an archive of it" });
  } catch (error) {
    throw fromSystemError(error) ?? error;
  }
  return createReadStream(source, { highWaterMark: chunkSize });
}

/** @throws SampanError `failed-precondition` for a terminal */
export function standardInput(): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY)
    throw failedPrecondition('Cannot read an archive from "stdin": it is a terminal', {
      remedy: "Name a file, or redirect the input",
    });
  return process.stdin;
}

async function download(address: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw invalidArgument(`Cannot fetch "${address}": it is no address`, { cause });
  }
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw unavailable(`Cannot fetch "${url.host}${url.pathname}": it does not answer`, { cause });
  }
  if (response.ok && response.body !== null) return whole(response.body, response.headers.get("content-length"), url);
  await response.body?.cancel();
  const state = `the server answers ${response.status}`;
  const make = response.status === 404 || response.status === 410 ? notFound : unavailable;
  throw make(`Cannot fetch "${url.host}${url.pathname}": ${state}`);
}

/** A connection that breaks gives an error of its own; one that ends too early is seen by the length. */
async function* whole(body: AsyncIterable<Uint8Array>, length: string | null, url: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw unavailable(`Cannot fetch "${url.host}${url.pathname}": the connection broke`, {
      cause,
      ...(length !== null && { remedy: `It was to have ${length} bytes; try again` }),
    });
  }
}
