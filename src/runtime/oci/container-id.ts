import { invalidArgument } from "#errdefs";

/** Longest name of a file (NAME_MAX); an id names a directory. */
const maxLength = 255;

/**
 * Checks a container id as runc does: letters, digits, `_`, `+`, `-` and `.`, but not `.` or `..`.
 *
 * @throws SampanError `invalid-argument`
 */
export function checkContainerId(id: string): string {
  if (id === "") throw invalidArgument("Cannot use container id: it is empty");
  if (id.length > maxLength)
    throw invalidArgument(`Cannot use container id: it is longer than ${maxLength} characters`);
  if (!/^[\w+.-]+$/.test(id) || id === "." || id === "..")
    throw invalidArgument(`Cannot use container id ${JSON.stringify(id)}: invalid id format`, {
      remedy: 'It may have letters, digits, "_", "+", "-" and "."',
    });
  return id;
}
