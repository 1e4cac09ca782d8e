import { dataLoss, notFound, type SampanError, unavailable } from "#errdefs";
import type { Descriptor } from "#spec";
import type { Connection } from "./connection.ts";
import { abortError, ConnectionFailure, statusError } from "./failure.ts";
import type { Patience } from "./host-list.ts";
import type { HttpResponse } from "./http.ts";
import type { Settings } from "./options.ts";
import { backOff } from "./retry.ts";

export interface BlobRequest extends Patience {
  readonly path: string;
  readonly scope: string;
  readonly action: string;
  readonly descriptor: Descriptor;
  readonly offset: number;
  readonly signal: AbortSignal | undefined;
}

/** Bytes that count as progress, after which as many attempts may be made again: a few each time would take forever. */
const leastProgress = (size: number): number => Math.min(64 * 1024, size / 100);

/**
 * Streams a blob from `offset` to its end over as many connections as it takes. It gives up when `attempts` of them in a
 * row brought too little.
 */
export async function* readBlob(
  connection: Connection,
  settings: Settings,
  request: BlobRequest,
): AsyncGenerator<Uint8Array, void, void> {
  const { action, descriptor, signal } = request;
  const { digest, size } = descriptor;
  let position = request.offset;
  let broken: ConnectionFailure | undefined;
  let fresh = position;
  for (let attempt = 1; position < size; attempt++) {
    if (attempt > (request.attempts ?? settings.retry.attempts)) throw giveUp(request, position, broken);
    try {
      if (attempt > 1) await backOff(attempt, settings.retry, signal);
      broken = undefined;
      const response = await open(connection, request, position);
      for await (const chunk of skipTo(response, position)) {
        if (position + chunk.length > size) {
          throw dataLoss(`${action}: layer ${digest} has more than its ${size} bytes`, {
            remedy: "Report it to whoever runs the registry",
          });
        }
        position += chunk.length;
        if (position - fresh >= leastProgress(size)) {
          attempt = 0;
          fresh = position;
        }
        yield chunk;
      }
    } catch (error) {
      if (signal?.aborted === true) throw abortError(action, signal);
      if (!(error instanceof ConnectionFailure) || !error.retriable) throw error;
      broken = error;
    }
  }
}

async function open(connection: Connection, request: BlobRequest, position: number): Promise<HttpResponse> {
  const { action, descriptor } = request;
  const { digest, size } = descriptor;
  const response = await connection.send({
    method: "GET",
    path: request.path,
    scope: request.scope,
    action,
    signal: request.signal,
    attempts: request.attempts,
    timeouts: request.timeouts,
    headers: position === 0 ? {} : { range: `bytes=${position}-` },
  });
  const { status } = response;
  const length = response.headers["content-length"];
  if (status === 200) {
    if (length === undefined || Number(length) === size) return response;
    response.discard();
    throw dataLoss(`${action}: layer ${digest} must have ${size} bytes, but ${connection.host} has ${length}`, {
      remedy: "Report it to whoever runs the registry",
    });
  }
  if (status === 206) {
    const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) === position) return response;
    response.discard();
    throw dataLoss(`${action}: ${connection.host} sends another part of layer ${digest} than was asked for`);
  }
  response.discard();
  if (status === 404) {
    throw notFound(`${action}: ${connection.host} has no layer ${digest}`, {
      status,
      path: digest,
      remedy: "The image is damaged; push it again",
    });
  }
  throw statusError(action, status, connection.host, "");
}

/** Registries that do not know Range send all of it again. */
async function* skipTo(response: HttpResponse, position: number): AsyncGenerator<Uint8Array> {
  let skip = response.status === 206 ? 0 : position;
  for await (const chunk of response.body()) {
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

function giveUp(request: BlobRequest, position: number, broken: ConnectionFailure | undefined): SampanError {
  const { action, descriptor } = request;
  const where = `after ${position} of ${descriptor.size} bytes of layer ${descriptor.digest}`;
  if (broken === undefined) {
    return dataLoss(`${action}: it ends ${where}`, { remedy: "The image is damaged; push it again" });
  }
  return unavailable(`${action}: ${broken.reason} ${where}`, { remedy: broken.remedy, cause: broken.cause });
}
