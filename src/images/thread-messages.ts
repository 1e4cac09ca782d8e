/**
 * What is said between a pull and its threads, over one port for each layer:
 *
 *     pull                         thread
 *      │── chunk … ──────────────────>│ compressed bytes; their memory goes with them
 *      │<─ taken … ───────────────────│ for each chunk that it needs no more
 *      │── end, or failed ───────────>│ end: all of the blob has come, and is verified
 *      │<─ done, or error ────────────│
 */
import type { MessagePort } from "node:worker_threads";
import { SampanError, type ErrorCode } from "#errdefs";
import type { LayerJob, UnpackedLayer } from "./layer-work.ts";

export interface ThreadRequest {
  readonly job: LayerJob;
  readonly port: MessagePort;
}

export type ToThread =
  | { readonly kind: "chunk"; readonly chunk: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "failed" };

export type FromThread =
  | { readonly kind: "taken" }
  | { readonly kind: "done"; readonly layer: UnpackedLayer }
  | { readonly kind: "error"; readonly error: PlainError };

interface PlainError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly fields: SampanError["fields"];
}

export function plainError(error: unknown): PlainError {
  if (error instanceof SampanError) return { code: error.code, message: error.message, fields: error.fields };
  return { code: undefined, message: error instanceof Error ? error.message : String(error), fields: {} };
}

export function errorOf({ code, message, fields }: PlainError): Error {
  return code === undefined ? new Error(message) : new SampanError(code, message, fields);
}
