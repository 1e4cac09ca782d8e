/** Low-level runtimes, run on a bundle whose configuration is what Sampan gives a container by default. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { arch, release } from "node:os";
import { basename, delimiter, join } from "node:path";
import { defaultCapabilities, defaultMaskedPaths, defaultReadonlyPaths, defaultSeccompProfile } from "#plan";
import { command, isInstalled, run, versionOf, type Place, type Prepare, type Subject } from "./subject.ts";

/** As much as is changed of what `runtime spec` writes. */
interface Spec {
  process: {
    terminal: boolean;
    args: string[];
    capabilities: Record<string, readonly string[]>;
    noNewPrivileges: boolean;
  };
  root: { path: string; readonly: boolean };
  linux: Record<string, unknown>;
}

/** A runtime by its name in PATH, or by its path. */
interface Runtime {
  readonly program: string;
  /** Its own, for directories. */
  readonly key: string;
  readonly title: string;
}

const named = (program: string): Runtime => ({ program, key: program, title: program });

/** Those of Debian, and newer ones by their paths: `SAMPAN_BENCH_RUNTIMES=/opt/crun-1.29:/opt/runc-1.5`. */
export const peers: readonly Runtime[] = [
  named("crun"),
  named("runc"),
  ...(process.env["SAMPAN_BENCH_RUNTIMES"] ?? "")
    .split(delimiter)
    .filter((path) => path !== "")
    .map((path, index) => ({ program: path, key: `peer-${index}`, title: basename(path) })),
];

/** Its bundle is made by itself: an old runtime may not take what another one writes. */
export async function peerBundle({ program, key }: Runtime, place: Place, name: string): Promise<string> {
  const bundle = join(place.directory, name);
  await mkdir(bundle);
  await run(program, ["spec"], { cwd: bundle });
  await configure(bundle, place, name);
  await mkdir(join("/run", key), { recursive: true });
  return bundle;
}

/** `run` of true. */
export const peerRun =
  (peer: Runtime): Prepare =>
  async (place) => {
    const { program, key, title } = peer;
    if (!(await isInstalled(program))) return { name: `${title} run`, skipped: "not installed" };
    const bundle = await peerBundle(peer, place, `${key}-run`);
    const argv = [program, "--root", join("/run", key), "run", "--bundle", bundle];
    return command(place, `${title} run`, (serial) => [...argv, `bench-${serial}`], {
      version: await versionOf(program),
    });
  };

/** `exec` of true, in a container that runs. */
export const peerExec =
  (peer: Runtime): Prepare =>
  async (place) => {
    const { program, key, title } = peer;
    if (!(await isInstalled(program))) return { name: `${title} exec`, skipped: "not installed" };
    const bundle = await peerBundle(peer, place, `${key}-exec`);
    return await execSubject(place, `${title} exec`, program, join("/run", key), bundle, await versionOf(program));
  };

/** Starts the bundle's container, which sleeps, and measures `exec` of true in it. */
export async function execSubject(
  place: Place,
  name: string,
  program: string,
  state: string,
  bundle: string,
  version?: string,
): Promise<Subject> {
  await changeConfig(bundle, (spec) => (spec.process.args = ["/bin/sleep", "100000"]));
  const global = [program, "--root", state];
  // It keeps the streams that it is given.
  const script = 'exec "$@" </dev/null >/dev/null 2>&1';
  await run("sh", ["-c", script, "sh", ...global, "run", "--detach", "--bundle", bundle, "bench-exec"]);
  return command(place, name, () => [...global, "exec", "bench-exec", "/bin/true"], {
    ...(version !== undefined && { version }),
    close: async () => void (await run(program, ["--root", state, "delete", "--force", "bench-exec"])),
  });
}

export async function changeConfig(bundle: string, change: (spec: Spec) => void): Promise<void> {
  const file = join(bundle, "config.json");
  const spec = JSON.parse(await readFile(file, "utf8")) as Spec;
  change(spec);
  await writeFile(file, JSON.stringify(spec));
}

/** Makes a bundle's config the same for all runtimes. */
export async function configure(bundle: string, place: Place, name: string): Promise<void> {
  const file = join(bundle, "config.json");
  const spec = JSON.parse(await readFile(file, "utf8")) as Spec;
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const capabilities = [...defaultCapabilities];
  const access = "rwm";
  const device = (major: number, minor?: number): object => ({
    allow: true,
    type: "c",
    major,
    ...(minor === undefined ? {} : { minor }),
    access,
  });
  spec.process = {
    ...spec.process,
    terminal: false,
    args: ["/bin/true"],
    noNewPrivileges: false,
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
  };
  spec.root = { path: place.rootfs, readonly: false };
  spec.linux = {
    ...spec.linux,
    cgroupsPath: `/${place.cgroup}/${name}`,
    namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
    maskedPaths: defaultMaskedPaths,
    readonlyPaths: defaultReadonlyPaths,
    resources: {
      memory: { limit: 268_435_456 },
      pids: { limit: 512 },
      cpu: { quota: 200_000, period: 100_000, shares: 512 },
      devices: [
        { allow: false, access },
        ...[3, 5, 7, 8, 9].map((minor) => device(1, minor)),
        ...[0, 1, 2].map((minor) => device(5, minor)),
        device(136),
      ],
    },
    seccomp: ociSeccomp(
      defaultSeccompProfile({
        capabilities,
        architecture: arch() === "arm64" ? "aarch64" : "x86_64",
        kernel: [major, minor],
      }),
    ),
  };
  // Arguments of system calls are 64 bits wide; those of the profile are far below 2^53.
  await writeFile(
    file,
    JSON.stringify(spec, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)),
  );
}

/** The profile without the fields that are empty in it, which the runtimes would not take. */
function ociSeccomp(profile: ReturnType<typeof defaultSeccompProfile>): object {
  const { defaultAction, defaultErrnoRet, architectures, syscalls } = profile;
  return { defaultAction, defaultErrnoRet, architectures, syscalls };
}
