/** Pods of the CRI on CNI's networks, once there is a configuration of one. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";

let cri: CriHost;
let file: string;
beforeAll(async () => {
  // The directory is missing at first.
  cri = await CriHost.create(["busybox"], {
    flags: ["--set", "cri.network=auto", "--set", "cni.plugins=/usr/lib/cni"],
    env: { SAMPAN_CNI_CONFIG: "/tmp/net.d" },
  });
  file = join(cri.host.directory, "tmp/net.d", "10-pods.conflist");
  await mkdir(join(file, ".."));
});
afterAll(async () => await cri[Symbol.asyncDispose]());

const ready = async (): Promise<unknown> => {
  const { status } = await cri.runtime.status({});
  return status?.conditions.find(({ type }) => type === "NetworkReady");
};
const address = async (podSandboxId: string): Promise<string> =>
  (await cri.runtime.podSandboxStatus({ podSandboxId })).status?.network?.ip ?? "";

it("a pod is on the bridge first, then on the network of a configuration that comes, and lets go of it", async () => {
  expect(await ready()).toMatchObject({ status: true });
  const before = await cri.runPod();
  expect(await address(before)).toMatch(/^10\.88\./);

  const bridge = {
    type: "bridge",
    bridge: "cni-test0",
    isGateway: true,
    ipam: { type: "host-local", dataDir: join(cri.host.files, "leases"), ranges: [[{ subnet: "10.77.0.0/24" }]] },
  };
  await writeFile(file, JSON.stringify({ cniVersion: "1.0.0", name: "pods", plugins: [bridge] }));
  expect(await ready()).toMatchObject({ status: true });
  const id = await cri.runPod();
  expect(await address(id)).toMatch(/^10\.77\.0\.\d+$/);
  const pod = new CriContainers(cri, id);
  const container = await pod.run();
  expect(await pod.sh(container, "ip -4 -o addr show eth0")).toContain(await address(id));
  await cri.restart();
  expect(await address(id)).toMatch(/^10\.77\.0\.\d+$/);
  for (const podSandboxId of [id, before]) await cri.runtime.removePodSandbox({ podSandboxId });
  expect(await cri.host.must(["sh", "-c", `ls ${cri.host.files}/leases/pods | grep -c '^10'; true`])).toBe("0");
});

it("a network whose plugin is missing is told in the status, and no pod is made without it", async () => {
  await writeFile(file, JSON.stringify({ cniVersion: "1.0.0", name: "pods", plugins: [{ type: "nosuch" }] }));
  expect(await ready()).toMatchObject({
    status: false,
    reason: "NetworkPluginNotReady",
    message: expect.stringContaining("nosuch") as string,
  });
  expect(await refusal(cri.runPod())).toContain("nosuch");
  expect((await cri.runtime.listPodSandbox({})).items).toEqual([]);
  await rm(file);
  expect(await ready()).toMatchObject({ status: true });
});
