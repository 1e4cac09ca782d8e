/**
 * The one family of errors. The core throws these; only a front-end turns a code into an exit status, a gRPC status
 * or an HTTP status. Errors are told apart by `code`, never by their message.
 */

export type ErrorCode =
  | "invalid-argument"
  | "not-found"
  | "already-exists"
  | "permission-denied"
  | "failed-precondition"
  | "resource-exhausted"
  | "unavailable"
  | "data-loss"
  | "unsupported"
  | "cancelled"
  | "internal";

/** Structured facts about a failure. All are optional; front-ends print them, tests compare them. */
export interface ErrorFields {
  /** What was being done, e.g. the text of a plan's operation. */
  readonly operation?: string;
  /** System call that failed, e.g. `move_mount`. */
  readonly syscall?: string;
  /** Positive Linux errno. */
  readonly errno?: number;
  /** File, image, container or other name the failure is about. */
  readonly path?: string;
  /** Position of the failed operation in its plan, from 1 as `sampan explain` prints it. */
  readonly step?: number;
  /** JSON path of the part of a config that the failure is about, e.g. `mounts[3]`. */
  readonly config?: string;
  /** The container's command is at fault: it was not found (errno ENOENT) or can't be run. */
  readonly command?: boolean;
  /** What the user can do about it, one sentence without a full stop. */
  readonly remedy?: string;
  /** HTTP status, where a registry answered one. */
  readonly status?: number;
}

export interface ErrorInit extends ErrorFields {
  readonly cause?: unknown;
}

/** Message form: `Cannot <action> "<value>": <state>`, active voice, no full stop. */
export class SampanError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, init: ErrorInit = {}) {
    const { cause, ...fields } = init;
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SampanError";
    this.code = code;
    this.fields = fields;
  }
}

type Factory = (message: string, init?: ErrorInit) => SampanError;
const factory =
  (code: ErrorCode): Factory =>
  (message, init) =>
    new SampanError(code, message, init);

export const invalidArgument: Factory = factory("invalid-argument");
export const notFound: Factory = factory("not-found");
export const alreadyExists: Factory = factory("already-exists");
export const permissionDenied: Factory = factory("permission-denied");
export const failedPrecondition: Factory = factory("failed-precondition");
export const resourceExhausted: Factory = factory("resource-exhausted");
export const unavailable: Factory = factory("unavailable");
export const dataLoss: Factory = factory("data-loss");
export const unsupported: Factory = factory("unsupported");
export const cancelled: Factory = factory("cancelled");
export const internal: Factory = factory("internal");

/** True when `error` is a {@link SampanError}, and of `code` when one is given. */
export function isSampanError(error: unknown, code?: ErrorCode): error is SampanError {
  return error instanceof SampanError && (code === undefined || error.code === code);
}
