/**
 * What undoes an update that failed half-way: the kernel knows no transaction over several files. Before an update its files
 * are read; after a failure what they said is written back, the last one first: each write then returns to a state that the
 * kernel has accepted before.
 */
import type { Operation } from "../operation.gen.ts";
import type { Update } from "./plan-update.ts";

/** Path of a cgroup file → its content before the update; undefined for a file that the kernel does not have. */
export type SavedFiles = ReadonlyMap<string, string | undefined>;

/** Where it is not said what a device had, it had no limit: what a file takes for that. */
const unset: readonly (readonly [file: RegExp, words: string])[] = [
  [/^io\.max$/, "rbps=max wbps=max riops=max wiops=max"],
  [/^io\.(bfq\.)?weight$/, "default"],
  [/^blkio\./, "0"],
  [/^net_prio\.ifpriomap$/, "0"],
  [/^rdma\.max$/, "hca_handle=max hca_object=max"],
];

/** Only written, never read: their rules are undone by rules. */
const isDevices = (operation: Operation): boolean =>
  operation.op === "cgroup-device-filter" ||
  (operation.op === "write-file" && /\/devices\.(allow|deny)$/.test(operation.path));

function pathsOf(operation: Operation): readonly string[] {
  // Who is in a group is none of its limits.
  if (isDevices(operation) || (operation.op === "write-file" && operation.path.endsWith("/tasks"))) return [];
  if (operation.op === "write-file") return [operation.path];
  return operation.op === "write-first" ? operation.choices.map(({ name }) => `${operation.directory}/${name}`) : [];
}

/** The files that an update may write, to be read before. */
export const updatedFiles = ({ steps }: Update): readonly string[] => [
  ...new Set(steps.flatMap(({ operation }) => pathsOf(operation))),
];

/**
 * Compiles what brings the limits back.
 *
 * @param done how many of its steps have been carried out
 */
export function planRollback(update: Update, saved: SavedFiles, done: number): readonly Operation[] {
  const undo: Operation[] = [];
  let devices = false;
  for (const { operation } of update.steps.slice(0, done).toReversed()) {
    devices ||= isDevices(operation);
    const path = pathsOf(operation).find((p) => saved.get(p) !== undefined);
    const before = path === undefined ? undefined : saved.get(path);
    if (path === undefined || before === undefined) continue;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const data = restored(name, dataOf(operation, name), before);
    if (data !== undefined) undo.push({ op: "write-file", path, data, tolerate: false });
  }
  return devices ? [...undo, ...update.undoDevices] : undo;
}

function dataOf(operation: Operation, name: string): string {
  if (operation.op === "write-file") return operation.data;
  return operation.op === "write-first" ? (operation.choices.find((c) => c.name === name)?.data ?? "") : "";
}

/** What is to be written for a file to say again what it said. */
function restored(name: string, written: string, before: string): string | undefined {
  const lines = before.split("\n").filter((line) => line !== "");
  const [, words] = unset.find(([file]) => file.test(name)) ?? [];
  const key = written.split(" ", 1)[0] ?? "";
  // A line for each device or interface.
  if (words !== undefined && written.includes(" ") && key !== "default")
    return lines.find((line) => line.startsWith(`${key} `)) ?? `${key} ${words}`;
  if (name === "memory.oom_control") return /^oom_kill_disable (\d)$/m.exec(before)?.[1];
  // resctrl: only those that were written.
  if (name === "schemata") {
    const resource = (line: string): string => line.trim().split(":", 1)[0] ?? "";
    const changed = new Set(written.split("\n").map(resource));
    return lines.filter((line) => changed.has(resource(line))).join("\n") + "\n";
  }
  // An idle group shows no weight, and takes none.
  if (name === "cpu.weight" && before.trim() === "0") return undefined;
  // Without an own value; an empty write would do nothing.
  return lines[0] ?? "\n";
}
