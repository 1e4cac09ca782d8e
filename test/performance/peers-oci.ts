/** Low-level runtimes, run on a bundle whose configuration is what Sampan gives a container by default. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { arch, release } from "node:os";
import { join } from "node:path";
import { defaultCapabilities, defaultMaskedPaths, defaultReadonlyPaths, defaultSeccompProfile } from "#plan";
import { command, isInstalled, run, versionOf, type Place, type Prepare } from "./subject.ts";

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

const ociRuntime =
  (name: string): Prepare =>
  async (place) => {
    if (!(await isInstalled(name))) return { name, skipped: "not installed" };
    const bundle = join(place.directory, name);
    const state = join("/run", name);
    await mkdir(bundle);
    await run(name, ["spec"], { cwd: bundle });
    await configure(bundle, place, name);
    const argv = [name, "--root", state, "run", "--bundle", bundle];
    return command(place, `${name} run`, (serial) => [...argv, `bench-${serial}`], { version: await versionOf(name) });
  };

export const crun: Prepare = ociRuntime("crun");
export const runc: Prepare = ociRuntime("runc");

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
