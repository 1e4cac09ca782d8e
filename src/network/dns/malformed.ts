import { invalidArgument, type SampanError } from "#errdefs";

/** @param why what is wrong with a message, in words that follow a colon */
export const malformed = (why: string): SampanError => invalidArgument(`Cannot use a DNS message: ${why}`);
