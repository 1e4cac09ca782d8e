import {
  seccompArchitectures,
  type SeccompArchitecture,
  type SeccompFile,
  type SeccompFilter,
  type SeccompProfile,
} from "#spec";
import type { Architecture } from "../host-facts.ts";

export interface SeccompContext {
  /** The container's bounding set, by name. */
  readonly capabilities: readonly string[];
  readonly architecture: Architecture;
  readonly kernel: readonly [major: number, minor: number];
  /** The image is of 32-bit x86; false when missing. */
  readonly image32?: boolean;
}

const goNames: Readonly<Record<Architecture, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** What profiles call the host's architecture. */
export const profileNames: Readonly<Record<Architecture, SeccompArchitecture>> = {
  x86_64: "SCMP_ARCH_X86_64",
  aarch64: "SCMP_ARCH_AARCH64",
};

/** The rules of a profile file that hold for a container on a host. */
export function resolveSeccompFile(file: SeccompFile, context: SeccompContext): SeccompProfile {
  const capabilities = new Set(context.capabilities);
  const native = profileNames[context.architecture];
  const mapped = file.archMap.find(({ architecture }) => architecture === native);
  const included = ({ caps, arches, minKernel }: SeccompFilter): boolean =>
    caps.every((name) => capabilities.has(name)) &&
    (arches.length === 0 || arches.includes(goNames[context.architecture])) &&
    (minKernel === undefined || atLeast(context.kernel, minKernel));
  const excluded = ({ caps, arches, minKernel }: SeccompFilter): boolean =>
    caps.some((name) => capabilities.has(name)) ||
    arches.includes(goNames[context.architecture]) ||
    (minKernel !== undefined && atLeast(context.kernel, minKernel));
  return {
    defaultAction: file.defaultAction,
    defaultErrnoRet: file.defaultErrnoRet,
    architectures: mapped === undefined ? file.architectures : [native, ...mapped.subArchitectures.filter(isKnown)],
    flags: file.flags,
    listenerPath: file.listenerPath,
    listenerMetadata: file.listenerMetadata,
    syscalls: file.syscalls
      .filter(({ includes, excludes }) => included(includes) && !excluded(excludes))
      .map(({ names, action, errnoRet, args }) => ({ names, action, errnoRet, args })),
  };
}

const atLeast = (
  [major, minor]: readonly [number, number],
  [needMajor, needMinor]: readonly [number, number],
): boolean => major > needMajor || (major === needMajor && minor >= needMinor);

const isKnown = (name: string): name is SeccompArchitecture =>
  (seccompArchitectures as readonly string[]).includes(name);
