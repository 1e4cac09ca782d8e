/** Debian's containerd, driven by Kubernetes' interface as a kubelet drives it, with `sampan-oci` in runc's place. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RuntimeService } from "#api-cri";
import { ContainerState } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { containerdConfig } from "../support/containerd.ts";
import { testImage } from "../support/images.ts";
import { ociProgram } from "../support/oci-host.ts";
import { mustHere } from "../support/process.ts";
import { eventually } from "../support/stocked-host.ts";
import { TestHost } from "../support/testhost.ts";

const image = "localhost/test:1";
const sandboxImage = "localhost/sandbox:1";
const network = (addresses: string): object => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "pods0",
      isGateway: true,
      ipam: { type: "host-local", dataDir: addresses, ranges: [[{ subnet: "10.77.0.0/24" }]] },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

let host: TestHost;
let runtime: Client<typeof RuntimeService>;
let pod: string;
const config = {
  metadata: { name: "web", namespace: "default", uid: "1", attempt: 0 },
  hostname: "web",
  logDirectory: "",
  linux: {},
};
const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

beforeAll(async () => {
  host = await TestHost.create();
  const directory = join(host.files, "containerd");
  const networks = join(directory, "net.d");
  await mkdir(networks, { recursive: true });
  await writeFile(join(networks, "10-pods.conflist"), JSON.stringify(network(join(directory, "addresses"))));
  config.logDirectory = join(directory, "logs");
  const socket = join(host.directory, "containerd.sock");
  const cri = { runtime: ociProgram, runtimeRoot: join(host.directory, "oci"), sandboxImage, networks };
  await writeFile(join(directory, "config.toml"), containerdConfig(directory, socket, cri));
  const daemon = host.spawn(["containerd", "--config", join(directory, "config.toml")]);
  daemon.stdout.resume();
  daemon.stderr.resume();
  const client = ["ctr", "--address", socket, "--namespace", "k8s.io"];
  for (let attempt = 0; (await host.run([...client, "version"])).code !== 0; attempt++) {
    if (attempt === 100) throw new Error("Cannot reach containerd: it does not answer");
    await sleep(100);
  }
  const layout = join(directory, "layout");
  await mustHere(["skopeo", "--insecure-policy", "copy", "-q", await testImage("busybox"), `oci:${layout}:test`]);
  const sleeper = ["--config.entrypoint", "/bin/sleep", "--config.cmd", "1000000"];
  await mustHere(["umoci", "config", "--image", `${layout}:test`, "--tag", "sandbox", ...sleeper]);
  for (const name of ["test", "sandbox"]) {
    const archive = join(directory, `${name}.tar`);
    const copy = ["skopeo", "--insecure-policy", "copy", "-q", `oci:${layout}:${name}`];
    await mustHere([...copy, `oci-archive:${archive}:localhost/${name}:1`]);
    await host.must([...client, "images", "import", archive]);
  }
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    nodeOptions: { createConnection: () => connect({ path: socket }) },
  });
  runtime = createClient(RuntimeService, transport);
  await eventually("the network plugin", async () => {
    const { status } = await runtime.status({});
    return status?.conditions.every((condition) => condition.status) === true;
  });
  ({ podSandboxId: pod } = await runtime.runPodSandbox({ config }));
}, 300_000);
afterAll(async () => await host[Symbol.asyncDispose]());

/** A container of the pod that runs. */
async function start(name: string, command: readonly string[], more: object = {}): Promise<string> {
  const container = { metadata: { name }, image: { image }, command: [...command], logPath: `${name}.log`, ...more };
  const { containerId } = await runtime.createContainer({
    podSandboxId: pod,
    config: { linux: {}, ...container },
    sandboxConfig: config,
  });
  await runtime.startContainer({ containerId });
  return containerId;
}

const inside = async (containerId: string, script: string): Promise<string> => {
  const { stdout, stderr, exitCode } = await runtime.execSync({ containerId, cmd: ["sh", "-c", script] });
  expect([decode(stderr), exitCode]).toStrictEqual(["", 0]);
  return decode(stdout);
};

it("a pod has an address of its CNI network, and its containers share it", async () => {
  const { status } = await runtime.podSandboxStatus({ podSandboxId: pod });
  expect(status?.network?.ip).toMatch(/^10\.77\.0\.\d+$/);
  const first = await start("first", ["sh", "-c", "echo 'from the first' | nc -l -p 8080; sleep 1000"]);
  const second = await start("second", ["sleep", "1000"]);
  expect(await inside(second, "hostname; ip -4 -o addr show eth0")).toMatch(
    new RegExp(`^web\n.*inet ${status?.network?.ip.replaceAll(".", "\\.")}/24`),
  );
  await eventually("the first container", async () => (await inside(first, "netstat -ltn")).includes(":8080"));
  expect(await inside(second, "nc 127.0.0.1 8080 </dev/null")).toBe("from the first\n");
});

it("what a container is asked to be, it is: limits, user, groups, capabilities, mounts, no new privileges", async () => {
  const id = await start("limited", ["sh", "-c", "echo out; echo err >&2; sleep 1000"], {
    envs: [{ key: "GREETING", value: Buffer.from("hello") }],
    mounts: [{ hostPath: host.files, containerPath: "/data", readonly: true }],
    linux: {
      resources: { memoryLimitInBytes: 64n << 20n, cpuQuota: 50_000n, cpuPeriod: 100_000n, cpuShares: 512n },
      securityContext: {
        runAsUser: { value: 1000n },
        runAsGroup: { value: 1001n },
        supplementalGroups: [2000n],
        readonlyRootfs: true,
        noNewPrivs: true,
        capabilities: { dropCapabilities: ["ALL"] },
        maskedPaths: ["/proc/kcore"],
        readonlyPaths: ["/proc/sys"],
      },
    },
  });
  // The image's own groups of this user count too, as containerd has it.
  const words = await inside(
    id,
    `echo $GREETING; id -u; id -g; id -G; grep -E 'NoNewPrivs|CapBnd' /proc/self/status | tr -d '\\t'
     touch /x 2>/dev/null || echo root is read-only; touch /data/x 2>/dev/null || echo data is read-only`,
  );
  expect(words.split("\n")).toStrictEqual([
    ...["hello", "1000", "1001", "1001 29 50 2000", "CapBnd:0000000000000000", "NoNewPrivs:1"],
    ...["root is read-only", "data is read-only", ""],
  ]);
  const { info } = await runtime.containerStatus({ containerId: id, verbose: true });
  const { runtimeSpec } = JSON.parse(info["info"] ?? "") as { runtimeSpec: { linux: { cgroupsPath: string } } };
  const path = join("/sys/fs/cgroup/memory", runtimeSpec.linux.cgroupsPath);
  expect(await host.must(["cat", `${path}/memory.limit_in_bytes`])).toBe(String(64 << 20));
  const { status } = await runtime.containerStatus({ containerId: id });
  expect(status?.state).toBe(ContainerState.CONTAINER_RUNNING);
  await runtime.updateContainerResources({ containerId: id, linux: { memoryLimitInBytes: 96n << 20n } });
  expect(await host.must(["cat", `${path}/memory.limit_in_bytes`])).toBe(String(96 << 20));
  const log = await readFile(join(config.logDirectory, "limited.log"), "utf8");
  expect(log).toMatch(/stdout F out\n/);
  expect(log).toMatch(/stderr F err\n/);
});

it("a command's exit code, its end by time, and a container's end are told", async () => {
  const id = await start("ends", ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"]);
  expect(await runtime.execSync({ containerId: id, cmd: ["sh", "-c", "exit 3"] })).toMatchObject({ exitCode: 3 });
  await expect(runtime.execSync({ containerId: id, cmd: ["sleep", "1000"], timeout: 1n })).rejects.toMatchObject({
    code: expect.any(Number) as Code,
  });
  await runtime.stopContainer({ containerId: id, timeout: 10n });
  const { status } = await runtime.containerStatus({ containerId: id });
  expect([status?.state, status?.exitCode]).toStrictEqual([ContainerState.CONTAINER_EXITED, 7]);
  await runtime.removeContainer({ containerId: id });
});

it("a container over its memory limit is killed, and that is told", async () => {
  const id = await start("greedy", ["sh", "-c", "x=a; while :; do x=$x$x; done"], {
    linux: { resources: { memoryLimitInBytes: 16n << 20n } },
  });
  await eventually("the end", async () => {
    const { status } = await runtime.containerStatus({ containerId: id });
    return status?.state === ContainerState.CONTAINER_EXITED;
  });
  const { status } = await runtime.containerStatus({ containerId: id });
  expect([status?.exitCode, status?.reason]).toStrictEqual([137, "OOMKilled"]);
});

it("nothing is left when the pod goes", async () => {
  await runtime.stopPodSandbox({ podSandboxId: pod });
  await runtime.removePodSandbox({ podSandboxId: pod });
  expect((await runtime.listContainers({})).containers).toStrictEqual([]);
  expect(await readdir(join(host.directory, "oci", "k8s.io")).catch(() => [])).toStrictEqual([]);
});
