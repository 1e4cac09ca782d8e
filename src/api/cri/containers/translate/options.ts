/** The CRI's description of a container as the engine's options: pure, but for profiles that are read. */
import { createHash } from "node:crypto";
import { decodeName, type ContainerOptions } from "#engine";
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { ContainerConfig, ContainerMetadata } from "../../gen/runtime/v1/containers_pb.ts";
import type { PodSandboxConfig } from "../../gen/runtime/v1/pods_pb.ts";
import { plainText, refuse } from "./check.ts";
import { identity } from "./identity.ts";
import { logOptions } from "./log-path.ts";
import { devices, mounts } from "./mounts.ts";
import { limits, oomScore, type ResourceFacts } from "./resources.ts";
import { namespaces, security, type SecurityFacts } from "./security.ts";
import { signalName } from "./signals.ts";

export interface TranslationFacts extends ResourceFacts, SecurityFacts {
  readonly podId: string;
  readonly pod: PodSandboxConfig;
  readonly logDirectory: string;
  readonly findTarget: (field: string, id: string) => string;
}

/** @throws SampanError `invalid-argument` that names the field, `failed-precondition` for what this host can't do */
export function containerOptions(config: ContainerConfig, facts: TranslationFacts): ContainerOptions {
  const { metadata, image, linux, workingDir, tty, stdin, stdinOnce } = config;
  if (metadata === undefined) throw invalidArgument("Cannot make a container: config.metadata is missing");
  if (metadata.name === "") throw invalidArgument("Cannot make a container: config.metadata.name is empty");
  if (image === undefined || image.image === "")
    throw invalidArgument("Cannot make a container: config.image.image is empty");
  const context = linux?.securityContext;
  const path = "config.linux.security_context";
  if (context?.privileged === true && facts.pod.linux?.securityContext?.privileged !== true)
    throw failedPrecondition(`Cannot use ${path}.privileged: the pod sandbox is not privileged`);
  const stopSignal = signalName("config.stop_signal", config.stopSignal);
  const cdiDevices = cdiNames(config);
  return {
    name: containerName(metadata, facts.podId),
    image: plainText("config.image.image", image.image),
    pull: "never",
    pod: facts.podId,
    ...words(config),
    ...(workingDir !== "" && { workdir: workingDirectory(workingDir) }),
    ...environment(config.envs),
    ...mounts(config.mounts, facts.lsm),
    ...devices(config.devices),
    ...(cdiDevices.length > 0 && { cdiDevices }),
    ...(Object.keys(config.labels).length > 0 && { labels: { ...config.labels } }),
    ...(Object.keys(config.annotations).length > 0 && { annotations: { ...config.annotations } }),
    ...logOptions(facts.logDirectory, config.logPath),
    ...(tty && { tty }),
    ...(stdin && { openStdin: true }),
    ...(stdinOnce && { stdinOnce }),
    ...(stopSignal !== undefined && { stopSignal }),
    ...limits("config.linux.resources", linux?.resources, facts),
    ...oomScore("config.linux.resources", linux?.resources, facts),
    ...identity(path, context),
    ...security(path, context, facts),
    ...namespaces(`${path}.namespace_options`, context?.namespaceOptions, facts.findTarget),
  };
}

/** Unique in the pod: the CRI counts a container's attempts. */
function containerName({ name, attempt }: ContainerMetadata, podId: string): string {
  const whole = `${name}_${podId.slice(0, 12)}_${attempt}`;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(whole)) return whole;
  const hash = createHash("sha256")
    .update(JSON.stringify([podId, name, attempt]))
    .digest("hex");
  return `container_${hash}`;
}

function words({ command, args }: ContainerConfig): Pick<ContainerOptions, "command" | "entrypoint"> {
  for (const [index, word] of command.entries()) plainText(`config.command[${index}]`, word);
  for (const [index, word] of args.entries()) plainText(`config.args[${index}]`, word);
  if (command[0] === "") refuse("config.command[0]", "", "the command's name is empty");
  return {
    ...(command.length > 0 && { entrypoint: command }),
    ...(args.length > 0 && { command: args }),
  };
}

function workingDirectory(path: string): string {
  plainText("config.working_dir", path);
  return path.startsWith("/") ? path : refuse("config.working_dir", path, "it is not absolute");
}

/** Values are bytes, which may be no text. */
function environment(list: ContainerConfig["envs"]): Pick<ContainerOptions, "env"> {
  const env = list.map(({ key, value }, index) => {
    const field = `config.envs[${index}]`;
    if (key === "" || key.includes("=") || key.includes("\0"))
      refuse(`${field}.key`, key, "it is no name of a variable");
    if (value.includes(0)) refuse(`${field}.value`, key, "it contains a NUL character");
    return `${key}=${decodeName(value)}`;
  });
  return env.length === 0 ? {} : { env };
}

/** Of the field, and of the annotations that were used before there was one: names with commas between. */
function cdiNames({ CDIDevices, annotations }: ContainerConfig): readonly string[] {
  const older = Object.entries(annotations)
    .filter(([key]) => key.startsWith("cdi.k8s.io/"))
    .flatMap(([, value]) => value.split(","));
  const names = [...CDIDevices.map(({ name }) => name), ...older];
  return [...new Set(names)];
}
