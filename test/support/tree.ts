/** What a tree on disk is, as a value: to compare what two programs have made of one archive. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface TreeOptions {
  /** Leave modification times out. */
  readonly times?: boolean;
}

/** Names are in latin1: one character a byte. */
const path = (root: string, name: string): Buffer => Buffer.from(`${root}/${name}`, "latin1");

/** Extended attributes by name in the tree, as `getfattr --dump` prints them. */
function attributesOf(root: string): Map<string, string> {
  const dump = execFileSync("getfattr", ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "."], {
    cwd: root,
    encoding: "latin1",
    maxBuffer: 256 * 1024 * 1024,
  });
  const attributes = new Map<string, string>();
  for (const part of dump.split("\n\n")) {
    const [head = "", ...lines] = part.trim().split("\n");
    const name = head
      .replace("# file: ", "")
      .replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(String(octal), 8)));
    if (lines.length > 0) attributes.set(name, lines.sort().join(" "));
  }
  return attributes;
}

/**
 * Reads a tree: a line a file, sorted, with type, mode, owner, device, time, allocated blocks or not, content's hash or
 * link's target, extended attributes, and the first name of the same file.
 */
export function readTree(root: string, options: TreeOptions = {}): string[] {
  const attributes = attributesOf(root);
  const first = new Map<bigint, string>();
  const names = ["."];
  const pending = [""];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop())
    for (const entry of readdirSync(path(root, directory), { encoding: "buffer", withFileTypes: true })) {
      const name = directory + entry.name.toString("latin1");
      names.push(name);
      if (entry.isDirectory()) pending.push(`${name}/`);
    }
  return names.sort().map((name) => {
    const at = path(root, name);
    const stat = lstatSync(at, { bigint: true });
    const linked = stat.isDirectory() ? name : (first.get(stat.ino) ?? name);
    first.set(stat.ino, linked);
    const content = stat.isFile()
      ? `${stat.size} ${createHash("sha256").update(readFileSync(at)).digest("hex")}`
      : stat.isSymbolicLink()
        ? `-> ${readlinkSync(at, { encoding: "latin1" })}`
        : "";
    const sparse = stat.isFile() && stat.blocks * 512n + 4096n < stat.size ? "sparse" : "";
    const time = options.times === false ? "" : String(stat.mtimeNs);
    const link = linked === name ? "" : `= ${linked}`;
    const fields = [
      stat.mode.toString(8),
      stat.uid,
      stat.gid,
      stat.rdev,
      time,
      content,
      sparse,
      attributes.get(name),
      link,
    ];
    return [name, ...fields.filter((field) => field !== undefined && field !== "")].join(" ");
  });
}
