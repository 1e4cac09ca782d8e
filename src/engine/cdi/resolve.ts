/** Devices by their names: from the files of /etc/cdi, and of /var/run/cdi, which come first. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { invalidArgument, isSampanError, notFound } from "#errdefs";
import { deviceNumbers } from "../devices.ts";
import { noEdits, parseCdi } from "./parse.ts";
import type { CdiDeviceNode, CdiEdits, CdiSpec } from "./types.ts";

const cdiDirectories: readonly string[] = ["/etc/cdi", "/var/run/cdi"];

const fileLimit = 4 * 1024 * 1024;

interface Found {
  readonly file: string;
  readonly spec: CdiSpec;
  readonly priority: number;
}

/** `VENDOR/CLASS=NAME`, which no path of the host is. */
export const isCdiName = (text: string): boolean => /^[a-zA-Z][^/=]*\/[a-zA-Z][^/=]*=/.test(text);

/**
 * What devices do to a container, all together. Their nodes are looked at on the host.
 *
 * @throws SampanError `not-found`, `invalid-argument` for a device that two files have, or that a broken file may have
 */
export function resolveCdi(names: readonly string[], directories: readonly string[] = cdiDirectories): CdiEdits {
  const problems: Error[] = [];
  const specs = directories.flatMap((directory, priority) => readDirectory(directory, priority, problems));
  const used = new Set<CdiSpec>();
  const all: CdiEdits[] = [];
  for (const name of names) {
    const { spec, edits } = findDevice(name, specs, problems);
    if (!used.has(spec)) all.push(spec.edits);
    used.add(spec);
    all.push(edits);
  }
  return all.reduce(together, noEdits);
}

function findDevice(
  name: string,
  specs: readonly Found[],
  problems: readonly Error[],
): { readonly spec: CdiSpec; readonly edits: CdiEdits } {
  const equals = name.indexOf("=");
  if (!isCdiName(name))
    throw invalidArgument(`Cannot give device "${name}": it is not of the form vendor.com/class=name`);
  const [kind, device] = [name.slice(0, equals), name.slice(equals + 1)];
  const having = specs.filter(({ spec }) => spec.kind === kind && spec.devices.has(device));
  const first = Math.max(...having.map(({ priority }) => priority));
  const [found, other] = having.filter(({ priority }) => priority === first);
  if (other !== undefined)
    throw invalidArgument(`Cannot give device "${name}": both "${found?.file}" and "${other.file}" have it`);
  const edits = found?.spec.devices.get(device);
  if (found !== undefined && edits !== undefined) return { spec: found.spec, edits };
  const [problem] = problems;
  throw notFound(`Cannot give device "${name}": no file of ${cdiDirectories.join(" or ")} has it`, {
    ...(problem !== undefined && { remedy: `A file is broken: ${problem.message}`, cause: problem }),
  });
}

function readDirectory(directory: string, priority: number, problems: Error[]): Found[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory).sort();
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.(json|yaml)$/.test(name))
    .flatMap((name): Found[] => {
      const file = join(directory, name);
      try {
        if (statSync(file).size > fileLimit) throw invalidArgument(`Cannot read "${file}": it is too large`);
        return [{ file, spec: parseCdi(readFileSync(file, "utf8"), file), priority }];
      } catch (error) {
        if (!isSampanError(error) && (error as NodeJS.ErrnoException).code === undefined) throw error;
        problems.push(error as Error);
        return [];
      }
    });
}

function together(before: CdiEdits, edits: CdiEdits): CdiEdits {
  const intelRdt = edits.intelRdt ?? before.intelRdt;
  return {
    env: [...before.env, ...edits.env],
    deviceNodes: [...before.deviceNodes, ...edits.deviceNodes.map(lookedAt)],
    mounts: [...before.mounts, ...edits.mounts],
    hooks: [...before.hooks, ...edits.hooks],
    additionalGids: [...before.additionalGids, ...edits.additionalGids],
    netDevices: [...before.netDevices, ...edits.netDevices],
    ...(intelRdt !== undefined && { intelRdt }),
  };
}

/** What the file does not say of a device is as on the host. */
function lookedAt(node: CdiDeviceNode): CdiDeviceNode {
  if (node.type === "p" || (node.type !== undefined && node.major !== undefined && node.minor !== undefined))
    return node;
  const path = node.hostPath ?? node.path;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw notFound(`Cannot give device "${path}": the host has none`, { path });
  const type = stats.isBlockDevice() ? "b" : stats.isCharacterDevice() ? "c" : undefined;
  if (type === undefined) throw invalidArgument(`Cannot give device "${path}": it is none`, { path });
  if (node.type !== undefined && (node.type === "u" ? "c" : node.type) !== type)
    throw invalidArgument(`Cannot give device "${path}": it is of type ${type}, and not ${node.type}`, { path });
  return { fileMode: stats.mode & 0o777, ...node, type, ...deviceNumbers(stats.rdev) };
}
