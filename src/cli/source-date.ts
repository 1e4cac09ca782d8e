import { invalidArgument } from "#errdefs";

/**
 * The time that what is made is from, for the same bytes each time (reproducible-builds.org, SOURCE_DATE_EPOCH): in
 * milliseconds since the epoch; undefined when the variable is not set.
 *
 * @throws SampanError `invalid-argument`
 */
export function sourceDate(): number | undefined {
  const text = process.env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (!/^\d{1,12}$/.test(text) || seconds > 253_402_300_799)
    throw invalidArgument(`Cannot use SOURCE_DATE_EPOCH "${text}": it is not a number of seconds since 1970`);
  return seconds * 1000;
}
