/** The system call filter, and the agent that decides where its profile says so. */
import { failedPrecondition, invalidArgument, unsupported } from "#errdefs";
import type { SeccompProfile } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { ProcessOptions } from "../plan.ts";
import { compileSeccompProfile } from "../seccomp/compile.ts";
import { hasListener, seccompFlags } from "../seccomp/flags.ts";
import { absolutePath } from "./paths.ts";
import type { StepList } from "./step-list.ts";

/** @param list for warnings */
export function seccompOperation(
  list: StepList,
  profile: SeccompProfile,
  facts: HostFacts,
  options: ProcessOptions,
): Operation {
  if (!facts.seccomp)
    throw failedPrecondition("Cannot install the seccomp profile: this kernel has no seccomp filters", {
      remedy: "Run with --security-opt seccomp=unconfined",
    });
  const flags = seccompFlags(profile, facts.kernel);
  const { program, unknown } = (options.compileSeccomp ?? compileSeccompProfile)(profile, facts.architecture);
  for (const name of unknown)
    list.warnings.push(`System call "${name}" of the seccomp profile is left out, because no architecture has it`);
  return { op: "seccomp", program, flags };
}

/**
 * What the agent is told: the container's state in JSON, as the texts before and after the pid of the new process, or as one
 * text, where the new process is not the container's first.
 */
export type AgentState = readonly [before: string, after: string] | readonly [whole: string];

/**
 * Connects to the agent of a profile that asks one; nothing for another. Goes before `clone`.
 *
 * @param ociVersion the spec's version that the state follows
 * @throws SampanError `invalid-argument` for a profile that would have keel itself wait for the agent
 */
export function addSeccompListener(
  list: StepList,
  profile: SeccompProfile | undefined,
  ociVersion: string,
  state: AgentState | undefined,
): void {
  if (profile?.defaultAction === "SCMP_ACT_NOTIFY") throw refused("SCMP_ACT_NOTIFY cannot be used as default action");
  if (profile === undefined || !hasListener(profile)) return;
  if (profile.syscalls.some(({ action, names }) => action === "SCMP_ACT_NOTIFY" && names.includes("write")))
    throw refused("SCMP_ACT_NOTIFY cannot be used for the write syscall");
  const { listenerPath = "", listenerMetadata = "" } = profile;
  if (listenerPath === "") throw refused("SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
  if (state === undefined)
    throw unsupported(
      "Cannot install the seccomp profile: SCMP_ACT_NOTIFY needs a container whose state its agent can be told",
    );
  const head = `${JSON.stringify({ ociVersion, fds: ["seccompFd"] }).slice(0, -1)},"pid":`;
  const metadata = listenerMetadata === "" ? "" : `"metadata":${JSON.stringify(listenerMetadata)},`;
  const [first, last] = state;
  const rest = `,${metadata}"state":${first}`;
  list.add(
    {
      op: "seccomp-listener",
      path: absolutePath(listenerPath, "connect to the seccomp agent"),
      before: head,
      between: last === undefined ? "" : rest,
      after: `${last ?? rest}}`,
      pidfd: false,
    },
    "For some system calls the profile has another process decide",
    "runtime-spec config-linux.md#containerprocessstate",
  );
}

const refused = (state: string): Error => invalidArgument(`Cannot install the seccomp profile: ${state}`);
