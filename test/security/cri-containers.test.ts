/** Published vulnerabilities of containerd's and CRI-O's service of containers: the rows that ask for a daemon with the CRI. */
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NamespaceMode, SecurityProfile_ProfileType as Profile } from "../../src/api/cri/gen/runtime/v1/common_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";
import { Lab } from "./support.ts";
import { tar, type Entry } from "./tar.ts";

let cri: CriHost;
let pod: CriContainers;
let logs: string;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
  logs = join(cri.host.files, "logs");
  pod = new CriContainers(cri, await cri.runPod({ logDirectory: logs }));
});
afterAll(async () => await cri[Symbol.asyncDispose]());

const daemonMemory = async (): Promise<number> => {
  const text = await readFile(`/proc/${await cri.daemon.process.outerPid()}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
};

it("CVE-2022-31030, CVE-2022-1708: endless output of ExecSync does not fill the daemon's memory", async () => {
  const id = await pod.run();
  const before = await daemonMemory();
  const cmd = ["head", "-c", "400m", "/dev/zero"];
  const { stdout, exitCode } = await cri.runtime.execSync({ containerId: id, cmd, timeout: 60n });
  expect([stdout.length, exitCode]).toEqual([16 * 1024 * 1024 - 4096, 0]);
  // What is thrown away is garbage for a while.
  expect((await daemonMemory()) - before).toBeLessThan(256 * 1024 * 1024);
  await pod.remove(id);
});

it("CVE-2023-25173, CVE-2022-2995: the primary group is among the supplementary ones, whatever the policy", async () => {
  for (const supplementalGroupsPolicy of [0, 1] as const) {
    const securityContext = { runAsUser: { value: 1000n }, runAsGroup: { value: 29n }, supplementalGroupsPolicy };
    const groups = await pod.look({ linux: { securityContext } }, "grep ^Groups: /proc/self/status");
    expect(groups.split(/\s+/)).toContain("29");
  }
});

it("CVE-2024-40635, CVE-2026-46680: ids beyond the range are refused, and never looked up as names", async () => {
  for (const value of [2n ** 31n, 2n ** 32n, 2n ** 32n + 1000n, -1n, 2n ** 63n - 1n])
    expect(await refusal(pod.create({ linux: { securityContext: { runAsUser: { value } } } }))).toMatch(
      /^InvalidArgument: .*run_as_user/,
    );
  for (const runAsUsername of ["99999999999", "4294967296", "0:0", "root:root"])
    expect(await refusal(pod.create({ linux: { securityContext: { runAsUsername } } }))).toMatch(/^InvalidArgument: /);
});

it("CVE-2024-25621, CVE-2021-41103: the directories of containers are for root alone", async () => {
  const id = await pod.run();
  const modes = await Promise.all(
    [cri.host.state, join(cri.host.state, "containers"), join(cri.host.state, "containers", id)].map(
      async (path) => (await stat(path)).mode & 0o027,
    ),
  );
  expect(modes.slice(1)).toEqual([0, 0]);
  expect((await stat(cri.socket)).mode & 0o077).toBe(0);
  await pod.remove(id);
});

it("CVE-2022-4318, CVE-2026-15809: a variable with a line feed is a variable and nothing else", async () => {
  const id = await pod.run({ envs: [{ key: "HOME", value: Buffer.from("/x\nroot2::0:0::/:/bin/sh") }] });
  expect(await pod.sh(id, "grep -c root2 /etc/passwd /etc/group; true")).toBe("/etc/passwd:0\n/etc/group:0");
  await pod.remove(id);
});

it("CVE-2023-6476, CVE-2024-3154: annotations change neither limits nor what is run", async () => {
  const id = await pod.run({
    annotations: {
      "io.kubernetes.cri-o.UnifiedCgroup.x": "memory.max=max",
      "org.systemd.property.ExecStartPre": "/bin/false",
      "io.containerd.runc.v2.group": "x",
      "run.oci.hooks.stderr": "/dev/stderr",
    },
    linux: { resources: { memoryLimitInBytes: 32n * 1024n * 1024n } },
  });
  expect((await pod.status(id)).resources?.linux?.memoryLimitInBytes).toBe(32n * 1024n * 1024n);
  await pod.remove(id);
});

it("CVE-2025-0750, CVE-2026-53489: logs stay in the pod's directory, and follow no link there", async () => {
  await mkdir(logs, { recursive: true });
  const victim = join(cri.host.files, "victim");
  await writeFile(victim, "mine\n");
  for (const logPath of ["../victim", "a/../../victim", "..", "x/.."])
    expect(await refusal(pod.create({ logPath }))).toMatch(/^InvalidArgument: Cannot use config\.log_path/);
  await symlink(victim, join(logs, "link.log"));
  const id = await pod.create({ command: ["echo", "written"], logPath: "link.log" });
  expect(await refusal(cri.runtime.startContainer({ containerId: id }))).toContain("link.log");
  expect(await readFile(victim, "utf8")).toBe("mine\n");
  await pod.remove(id);
  expect(await readdir(logs)).toEqual(["link.log"]);
});

it("CVE-2026-53488: labels of an image are no labels of the container", async () => {
  const id = await pod.run({ labels: { own: "1" } });
  expect((await pod.status(id)).labels).toEqual({ own: "1" });
  await pod.remove(id);
});

it("CVE-2022-24769: capabilities are not inheritable, in a container and in what is run in it", async () => {
  const inheritable = "grep ^CapInh: /proc/self/status /proc/1/status | grep -vc 0000000000000000; true";
  const securityContext = {
    capabilities: { addCapabilities: ["ALL"] },
    namespaceOptions: { pid: NamespaceMode.CONTAINER },
  };
  expect(await pod.look({ linux: { securityContext } }, inheritable)).toBe("0");
});

it("CVE-2023-2431: a seccomp profile of the node without a name, or without rules, is refused, and not left out", async () => {
  const empty = join(cri.host.files, "empty.json");
  await writeFile(empty, "");
  for (const localhostRef of ["", "profile.json", "../profile.json", "/nosuch", "/dev/null", empty]) {
    const seccomp = { profileType: Profile.Localhost, localhostRef };
    expect(await refusal(pod.create({ linux: { securityContext: { seccomp } } }))).toMatch(/^\w+: Cannot /);
  }
  for (const seccompProfilePath of ["localhost/", "localhost/profile.json", "none"])
    expect(await refusal(pod.create({ linux: { securityContext: { seccompProfilePath } } }))).toMatch(
      /^InvalidArgument: .*seccomp/,
    );
  const seccomp = { profileType: Profile.Localhost, localhostRef: "" };
  expect(await refusal(cri.runPod({ linux: { securityContext: { seccomp } } }))).toContain("localhost_ref");
});

it("CVE-2026-53492, CVE-2026-50195, CVE-2024-8676, CVE-2026-53489: nothing is restored from what calls itself a checkpoint", async () => {
  const mount = { destination: "/mnt", type: "bind", source: "/etc", options: ["rbind"] };
  const annotations = {
    "org.criu.checkpoint.container.name": "web",
    "io.kubernetes.cri-o.annotations.checkpoint.name": "web",
    "cdi.k8s.io/x": "vendor.example/device=all",
  };
  const files: readonly Entry[] = [
    { path: "spec.dump", content: JSON.stringify({ ociVersion: "1.0.0", mounts: [mount], annotations }) },
    { path: "config.dump", content: JSON.stringify({ rootfsImageName: cri.image("busybox"), id: "0".repeat(64) }) },
    { path: "checkpoint", type: "directory", mode: 0o755 },
    { path: "container.log", type: "symlink", link: "/etc/shadow" },
  ];
  const names = async (): Promise<readonly string[]> =>
    (await cri.images.listImages({})).images.flatMap((image) => [image.id, ...image.repoTags]).sort();
  const before = await names();
  const archive = join(cri.host.files, "checkpoint.tar");
  await writeFile(archive, tar(files));
  expect(await refusal(pod.create({ image: { image: archive } }))).toMatch(/^(InvalidArgument|NotFound): /);
  const { code, stderr } = await cri.host.sampan(["--namespace", "k8s.io", "load", "-i", archive]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Cannot load the archive")]);
  expect(await names()).toEqual(before);

  const image = await Lab.within(cri.host).image("checkpoint", {
    layers: [files],
    manifest: (manifest) => ({ ...manifest, annotations }),
  });
  await cri.images.pullImage({ image: { image } });
  expect((await names()).filter((name) => !before.includes(name))).toEqual([image, expect.stringMatching(/^sha256:/)]);
  const id = await pod.run({ image: { image }, command: ["sh", "-c", "echo new; exec sleep 100"], logPath: "own.log" });
  expect(await pod.sh(id, "ls /mnt; grep -c ' /mnt ' /proc/self/mountinfo; true")).toBe("0");
  expect(await pod.status(id)).toMatchObject({ mounts: [], annotations: {} });
  await expect.poll(() => readFile(join(logs, "own.log"), "utf8")).toMatch(/ stdout F new\n$/);
  await pod.remove(id);
  await cri.images.removeImage({ image: { image } });
});
