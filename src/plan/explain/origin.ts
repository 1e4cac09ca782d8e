import { isSampanError, SampanError } from "#errdefs";
import type { Program } from "../plan.ts";

/**
 * A failure of a program, with the part of the config that asked for the failed step, where the program knows it: for
 * those who wrote the config. Other errors are given back as they are.
 */
export function withOrigin(error: unknown, program: Program): unknown {
  if (!isSampanError(error) || error.fields.step === undefined) return error;
  const config = program.steps[error.fields.step - 1]?.config;
  if (config === undefined) return error;
  return new SampanError(error.code, `${error.message} (${config} of the config)`, {
    ...error.fields,
    config,
    cause: error,
  });
}
