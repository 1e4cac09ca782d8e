/** Container engines, each with its own directories, daemon and socket in the test host. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { containerdConfig } from "../support/containerd.ts";
import { command, isInstalled, run, versionOf, type Prepare } from "./subject.ts";

const image = "localhost/bench:1";

export const ctr: Prepare = async (place) => {
  const name = "ctr run";
  if (!(await isInstalled("containerd")) || !(await isInstalled("ctr"))) return { name, skipped: "not installed" };
  const directory = join(place.directory, "containerd");
  const socket = join(directory, "containerd.sock");
  await mkdir(directory);
  const config = join(directory, "config.toml");
  await writeFile(config, containerdConfig(directory, socket));
  // containerd's namespace is the name of the cgroup that its containers' are in.
  const client = ["--address", socket, "--namespace", place.cgroup];
  const daemon = await Daemon.start(
    "containerd",
    ["--config", config],
    async () => await run("ctr", [...client, "version"]),
  );
  await run("ctr", [...client, "images", "import", "--snapshotter", "overlayfs", place.archive]);
  const argv = ["ctr", ...client, "run", "--rm", "--snapshotter", "overlayfs", image];
  return command(place, name, (serial) => [...argv, `bench-${serial}`, "/bin/true"], {
    version: await versionOf("containerd"),
    close: async () => await daemon.stop(),
  });
};

export const podman: Prepare = async (place) => {
  const name = "podman run";
  if (!(await isInstalled("podman"))) return { name, skipped: "not installed" };
  // podman allows no more than 50 characters for some of them; /run is the test host's own.
  const directory = "/run/podman-bench";
  const root = join(place.directory, "podman");
  await mkdir(directory);
  const own = ["runroot", "tmpdir", "volumepath"].flatMap((option) => [`--${option}`, join(directory, option)]);
  const base = [
    "--root",
    root,
    ...own,
    "--storage-driver",
    "overlay",
    "--cgroup-manager",
    "cgroupfs",
    "--events-backend",
    "file",
  ];
  await run("podman", [...base, "load", "--quiet", "--input", place.archive]);
  const flags = ["--rm", "--network", "none", "--cgroup-parent", `/${place.cgroup}`, "--log-driver", "k8s-file"];
  return command(place, name, () => ["podman", ...base, "run", ...flags, image, "true"], {
    version: await versionOf("podman"),
  });
};

export const docker: Prepare = async (place) => {
  const name = "docker run";
  if (!(await isInstalled("dockerd")) || !(await isInstalled("docker"))) return { name, skipped: "not installed" };
  const directory = join(place.directory, "docker");
  await mkdir(directory);
  const socket = `unix://${directory}/docker.sock`;
  const paths = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec"), "--host", socket];
  const network = ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"];
  const args = [...paths, ...network, "--pidfile", join(directory, "pid"), "--cgroup-parent", `/${place.cgroup}`];
  const client = ["--host", socket];
  const daemon = await Daemon.start("dockerd", args, async () => await run("docker", [...client, "version"]));
  const archive = `docker-archive:${directory}/image.tar:${image}`;
  await run("skopeo", ["--insecure-policy", "copy", "--quiet", `oci-archive:${place.archive}`, archive]);
  await run("docker", [...client, "load", "--quiet", "--input", join(directory, "image.tar")]);
  return command(place, name, () => ["docker", ...client, "run", "--rm", "--network", "none", image, "true"], {
    version: await versionOf("dockerd"),
    close: async () => await daemon.stop(),
  });
};

/** A daemon that a subject needs, ended with it. */
class Daemon {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    const note = (data: Buffer): void => void (this.#output = (this.#output + data.toString()).slice(-4000));
    child.stdout?.on("data", note);
    child.stderr?.on("data", note);
  }

  /** @param ask succeeds when the daemon answers */
  static async start(program: string, args: readonly string[], ask: () => Promise<unknown>): Promise<Daemon> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const daemon = new Daemon(child);
    for (let attempt = 0; ; attempt++) {
      try {
        await ask();
        return daemon;
      } catch (error) {
        if (attempt < 150 && child.exitCode === null) {
          await sleep(100);
          continue;
        }
        await daemon.stop();
        throw new Error(`Cannot start ${program}: it does not answer\n${daemon.#output}`, { cause: error });
      }
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
  }
}
