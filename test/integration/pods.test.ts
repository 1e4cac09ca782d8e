/** Pods: namespaces without a process, a network and limits that containers share, and that nothing of one is left. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
const inPod = async (name: string, script: string, ...flags: readonly string[]): Promise<string> =>
  await stocked.must([
    "run",
    "-d",
    "--pod",
    "shop",
    "--name",
    name,
    ...flags,
    stocked.image("busybox"),
    "sh",
    "-c",
    script,
  ]);
const exec = async (name: string, script: string): Promise<string> =>
  await stocked.must(["exec", name, "sh", "-c", script]);
/** What pods leave on the host: mounts, cgroups and files. */
const left = async (): Promise<string> => {
  const { state, cgroupParent } = stocked.host;
  const script = `grep -c ${state}/pods /proc/self/mountinfo; ls -A ${state}/pods; ls -d /sys/fs/cgroup/*${cgroupParent}/pod-* 2>/dev/null; true`;
  return await stocked.host.must(["sh", "-c", script]);
};

describe("pods", () => {
  it("containers share network, host name, shared memory and limits, and the pod outlives each of them", async () => {
    await stocked.must([
      "pod",
      "create",
      "--network",
      "none",
      "--memory",
      "96m",
      "--pids-limit",
      "40",
      "--label",
      "a=b",
      "shop",
    ]);
    expect(await stocked.must(["pod", "ps", "--format", "{{.Name}} {{.Status}} {{.Containers}} {{.Labels}}"])).toBe(
      "shop created 0 a=b",
    );
    expect(await left()).toBe("0");
    await inPod("web", "sleep 1000");
    await inPod("side", "sleep 1000", "--memory", "32m");
    const facts = "hostname; for n in net ipc uts; do readlink /proc/self/ns/$n; done; cat /etc/hostname";
    const pids = "readlink /proc/self/ns/pid";
    const web = lines(await exec("web", `${facts}; echo shared > /dev/shm/x; ${pids}`));
    const beside = lines(await exec("side", `${facts}; ${pids}; cat /dev/shm/x`));
    expect(web[0]).toBe("shop");
    expect(beside.slice(0, 5)).toStrictEqual(web.slice(0, 5));
    expect(beside[5]).not.toBe(web[5]);
    expect(beside[6]).toBe("shared");
    // The pod's own limits, above those of its containers.
    const { Id } = JSON.parse(await stocked.must(["pod", "inspect", "-f", "json", "shop"])) as { Id: string };
    const group = `${stocked.host.cgroupParent}/pod-${Id}`;
    const limit = async (path: string): Promise<string> => await stocked.host.must(["cat", `/sys/fs/cgroup/${path}`]);
    expect(await limit(`memory${group}/memory.limit_in_bytes`)).toBe(String(96 * 1024 * 1024));
    expect(await limit(`pids${group}/pids.max`)).toBe("40");
    const side = await stocked.must(["inspect", "-f", "{{.Id}}", "side"]);
    expect(await limit(`memory${group}/${side}/memory.limit_in_bytes`)).toBe(String(32 * 1024 * 1024));
    await stocked.must(["rm", "-f", "web", "side"]);
    expect(await stocked.must(["pod", "ps", "--format", "{{.Status}}"])).toBe("ready");
    await inPod("next", "sleep 1000");
    expect(lines(await exec("next", "readlink /proc/self/ns/net; cat /dev/shm/x"))).toStrictEqual([web[1], "shared"]);
    await stocked.must(["pod", "stop", "-t", "0", "shop"]);
    expect(await stocked.must(["inspect", "-f", "{{.State.Status}}", "next"])).toBe("exited");
    expect(await left()).toBe("0");
    // A container that is started brings its pod up again.
    await stocked.must(["start", "next"]);
    expect(await exec("next", "hostname; ls /dev/shm")).toBe("shop");
    const refused = await stocked.host.sampan(["pod", "rm", "shop"]);
    expect(refused.stderr).toBe(
      'sampan: Cannot remove pod "shop": it has 1 containers. Remove them first, or remove it with --force\n',
    );
    await stocked.must(["pod", "rm", "-f", "shop"]);
    expect(await left()).toBe("0");
    expect(await stocked.containers()).toStrictEqual([]);
  }, 180_000);

  it("a pod has one address on its network, for all its containers", async () => {
    await stocked.must(["pod", "run", "shop", stocked.image("busybox"), "sleep", "1000"]);
    await inPod("two", "sleep 1000");
    const address = await exec("two", "ip -4 -o addr show dev eth0 | tr -s ' ' | cut -d' ' -f4");
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+\/\d+$/);
    expect(await exec("two", `grep -c '^${address.split("/")[0]}' /etc/hosts`)).toBe("1");
    const other = await stocked.mustShell([], `ping -c 1 -W 5 ${address.split("/")[0]} > /dev/null && echo reached`);
    expect(other).toBe("reached");
    await stocked.must(["pod", "rm", "-f", "shop"]);
    expect(await left()).toBe("0");
  });

  it("refuses what a pod or its containers can't have", async () => {
    const failure = async (...args: readonly string[]): Promise<string> => (await stocked.host.sampan(args)).stderr;
    expect(await failure("pod", "create", "--share", "net,pid")).toContain("it is a list of net, ipc and uts");
    expect(await failure("pod", "create", "--memory", "1k")).toContain("less than 512k");
    expect(await failure("pod", "create", "--network", "nowhere")).toContain('Cannot find network "nowhere"');
    await stocked.must(["pod", "create", "shop"]);
    expect(await failure("pod", "create", "shop")).toContain("another pod has it");
    const image = stocked.image("busybox");
    expect(await failure("create", "--pod", "shop", "--hostname", "x", image)).toContain(
      "Cannot set hostname of a container in pod",
    );
    expect(await failure("create", "--pod", "shop", "--network", "none", image)).toContain("Cannot set network of");
    expect(await failure("create", "--pod", "none", image)).toContain('Cannot find pod "none"');
    await stocked.must(["pod", "rm", "shop"]);
  });
});
