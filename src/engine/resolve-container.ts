/** What a container is, worked out from its options and its image when it is made. */
import { invalidArgument, isSampanError } from "#errdefs";
import type { Images, ResolvedImage } from "#images";
import { checkCgroupPath } from "#plan";
import type { ImageRunConfig } from "#spec";
import type { EngineCore } from "./core.ts";
import type { PullOptions } from "./engine-options.ts";
import { logLimit } from "./logs.ts";
import { checkName, newId, randomName } from "./names.ts";
import { checkNetwork, exposed } from "./network/check.ts";
import type { ContainerOptions } from "./options.ts";
import { accountGroups, resolveGroups } from "./passwd.ts";
import { joinPod } from "./pods/pod-book.ts";
import { parseSignal, processArguments, processEnvironment } from "./process-config.ts";
import { nameTaken, type ContainerRecord, type ResolvedContainer } from "./records.ts";
import { checkTarget, containerHostname } from "./runtime-config.ts";
import { resolveSecrets } from "./secrets/secrets.ts";
import { parseDependency } from "./supervise/dependencies.ts";
import { healthCheck } from "./supervise/health.ts";
import { parseRestart } from "./supervise/restart-policy.ts";
import { resolveVolumes, withVolumesFrom } from "./volumes/resolve-volumes.ts";

/**
 * Works out all that holds for a container's whole life. Fetches its image when that is missing, and makes nothing else.
 *
 * @throws SampanError for options that can't be
 */
export async function resolveContainer(
  core: EngineCore,
  images: Images,
  given: ContainerOptions,
  pull: PullOptions,
): Promise<ContainerRecord> {
  // The content of secrets is not in the database, which is on a disk.
  const { secrets = [], ...others } = given;
  const member = given.pod === undefined ? undefined : joinPod(core.pods.find(given.pod), others);
  const options = { ...others, ...member?.options, mounts: withVolumesFrom(others, core.records) };
  if (options.name !== undefined) {
    checkName(options.name);
    const holder = core.records.findName(options.name);
    if (holder !== undefined) throw nameTaken(options.name, holder);
  }
  const network = await checkNetwork(core, options);
  const image = await obtain(images, options, pull);
  images.noteUse(image);
  const { config } = image.config;
  const args = processArguments(options, config);
  const id = newId();
  const user = await core.imageUser(options.user ?? config.user, image.chainId);
  const extra =
    options.groupAdd === undefined ? [] : resolveGroups(options.groupAdd, await core.accountFiles(image.chainId));
  const groups =
    options.groupsPolicy === undefined
      ? user.groups
      : options.groupsPolicy === "strict"
        ? [user.gid]
        : [user.gid, ...accountGroups(options.user ?? config.user, await core.accountFiles(image.chainId))];
  const hostname = containerHostname(options, id);
  const resolved: ResolvedContainer = {
    args,
    env: processEnvironment(options, config, { hostname, home: user.home }),
    cwd: workingDirectory(options.workdir ?? config.workingDir),
    user: { uid: user.uid, gid: user.gid, groups: [...new Set([...groups, ...extra])] },
    stopSignal: parseSignal(options.stopSignal ?? (config.stopSignal || "TERM")),
    labels: { ...Object.fromEntries(config.labels), ...options.labels },
    chainId: image.chainId,
    ...(image.config.platform.architecture === "386" && { image32: true }),
    volumes: resolveVolumes(options, config.volumes),
    ...(member !== undefined && { pod: member.membership }),
    ...(secrets.length > 0 && { secrets: resolveSecrets(secrets) }),
    ...exposed(options, config.exposedPorts),
    ...lookedAfter(core, options, config),
    ...(await cdiEdits(options.cdiDevices)),
    images: await mountedImages(images, options, pull),
  };
  const name = options.name ?? randomName(0);
  return {
    id,
    name,
    image: options.image,
    imageId: image.id,
    createdAt: Date.now(),
    options: { ...options, ...network },
    resolved,
  };
}

async function cdiEdits(names: readonly string[] = []): Promise<Pick<ResolvedContainer, "cdi">> {
  if (names.length === 0) return {};
  const { resolveCdi } = await import("./cdi/resolve.ts");
  return { cdi: resolveCdi(names) };
}

/** Checks what concerns looking after it, and resolves it. */
function lookedAfter(
  core: EngineCore,
  options: ContainerOptions,
  config: ImageRunConfig,
): Pick<ResolvedContainer, "health" | "dependsOn"> {
  if (parseRestart(options.restart).name !== "no" && options.autoRemove === true)
    throw invalidArgument("Cannot restart a container that is removed when it has ended: leave --restart or --rm out");
  logLimit(options);
  if (options.cgroupParent !== undefined) checkCgroupPath(options.cgroupParent);
  const health = healthCheck(options.health, config.healthcheck);
  if (health === undefined && (options.healthOnFailure ?? "none") !== "none")
    throw invalidArgument("Cannot act on bad health: the container has no health check", {
      remedy: "Add --health-cmd",
    });
  const dependsOn = (options.dependsOn ?? []).map((text) => parseDependency(text, core.records));
  return { ...(health !== undefined && { health }), ...(dependsOn.length > 0 && { dependsOn }) };
}

/** The images that are to be mounted, fetched when they are missing. */
async function mountedImages(
  images: Images,
  options: ContainerOptions,
  pull: PullOptions,
): Promise<NonNullable<ResolvedContainer["images"]>> {
  const mounted = [];
  for (const { type, source = "", target, subpath = "" } of options.mounts ?? []) {
    if (type !== "image") continue;
    const image = await obtain(
      images,
      { image: source, ...(options.pull !== undefined && { pull: options.pull }) },
      pull,
    );
    mounted.push({ target: checkTarget(target), imageId: image.id, chainId: image.chainId, subpath });
  }
  return mounted;
}

/** The image of a container, fetched when it is missing. */
async function obtain(images: Images, options: ContainerOptions, pull: PullOptions): Promise<ResolvedImage> {
  const platform = options.platform;
  const fetch = (): Promise<ResolvedImage> =>
    images.pull(options.image, platform === undefined ? pull : { ...pull, platform });
  if (options.pull === "always") return fetch();
  try {
    return images.resolve(options.image, platform);
  } catch (error) {
    if (!isSampanError(error, "not-found") || options.pull === "never") throw error;
  }
  return fetch();
}

function workingDirectory(path: string): string {
  if (path === "") return "/";
  if (!path.startsWith("/") || path.includes("\0"))
    throw invalidArgument(`Cannot use working directory "${path}": it is not an absolute path`);
  return path;
}
