/** What to do where the kernel's Landlock is too old. */
import type { OperationLandlock } from "#plan";

/** Rights beyond the first version, by the first version that has them and the Linux that it came with (landlock(7)). */
const newer: readonly {
  readonly version: number;
  readonly kernel: string;
  readonly field: "handledFiles" | "handledNetwork" | "scoped";
  readonly bit: bigint;
  readonly name: string;
}[] = [
  { version: 2, kernel: "5.19", field: "handledFiles", bit: 13n, name: "refer" },
  { version: 3, kernel: "6.2", field: "handledFiles", bit: 14n, name: "truncate" },
  { version: 4, kernel: "6.7", field: "handledNetwork", bit: 0n, name: "bind_tcp" },
  { version: 4, kernel: "6.7", field: "handledNetwork", bit: 1n, name: "connect_tcp" },
  { version: 5, kernel: "6.10", field: "handledFiles", bit: 15n, name: "ioctl_dev" },
  { version: 6, kernel: "6.12", field: "scoped", bit: 0n, name: "abstract_unix_socket" },
  { version: 6, kernel: "6.12", field: "scoped", bit: 1n, name: "signal" },
];

/** Names each right with the Linux that it takes. */
export function landlockRemedy(operation: OperationLandlock): string {
  const needs = newer.filter(({ field, bit }) => ((operation[field] >> bit) & 1n) === 1n);
  const words = needs.map(({ name, version, kernel }) => `${name} takes version ${version} (Linux ${kernel})`);
  const rest = words.length === 0 ? "Landlock takes Linux 5.13" : words.join(", ");
  return `${rest}, and landlock among the kernel's security modules; with bestEffort what is missing is left out`;
}
