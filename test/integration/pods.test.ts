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
    expect(await failure("pod", "create", "--share", "net,user")).toContain("it is a list of net, ipc, uts and pid");
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

  it("a pid namespace that they share has a first process that holds it, sees nothing of the host, and ends with the pod", async () => {
    await stocked.must([
      "pod",
      "create",
      "--network",
      "none",
      "--share",
      "net,ipc,uts,pid",
      "--sysctl",
      "net.core.somaxconn=77",
      "--sysctl",
      "kernel.shm_rmid_forced=1",
      "shop",
    ]);
    await inPod("web", "sleep 1000");
    await inPod("side", "sleep 2000");
    const seen = await exec("side", "ps -o pid,args; cat /proc/1/comm; ls -A /proc/1/root 2>&1; true");
    expect(seen).toMatch(/ sleep 1000\n/);
    expect(seen).toMatch(/ sleep 2000\n/);
    expect(seen).toMatch(/sampan-pod\nls: .*Permission denied/);
    expect(await exec("side", "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced")).toBe("77\n1");
    // Orphans of either end at the pod's first process, which reaps them.
    await exec("web", "sh -c 'sleep 0.05 & exit'; sleep 0.2");
    expect(await exec("side", "ps -o stat,args | grep -c '^Z' || true")).toBe("0");
    // One of its own, and that of another container.
    await inPod("alone", "sleep 3000", "--pid", "private");
    expect(await exec("alone", "cat /proc/1/comm; ps | grep -c 'sleep 1000' || true")).toMatch(/^sleep\n/);
    const target = ["run", "--rm", "--network", "none", "--pid", "container:alone"];
    expect(await stocked.must([...target, stocked.image("busybox"), "cat", "/proc/1/comm"])).toBe("sleep");
    // Its end is that of all that is in there; the pod comes up again with the next start.
    const { Id } = JSON.parse(await stocked.must(["pod", "inspect", "-f", "json", "shop"])) as { Id: string };
    const holder = `${stocked.host.state}/pods/${Id}/holder`;
    const [pid = ""] = (await stocked.host.must(["cat", holder])).split(" ");
    await stocked.host.must(["kill", "-9", pid]);
    expect(await stocked.must(["wait", "web"])).toBe("137");
    await stocked.must(["start", "web"]);
    expect(await exec("web", "cat /proc/1/comm")).toBe("sampan-pod");
    await stocked.must(["pod", "rm", "-f", "shop"]);
    expect(await left()).toBe("0");
  });

  it("a pod on the host's namespaces gives them to its containers, and sets nothing in them", async () => {
    const refused = await stocked.host.sampan([
      "pod",
      "create",
      "--network",
      "host",
      "--sysctl",
      "net.core.somaxconn=7",
      "x2",
    ]);
    expect(refused.stderr).toMatch(
      /Cannot set sysctl "net.core.somaxconn": the pod has no network namespace of its own/,
    );
    await stocked.must(["pod", "create", "--network", "host", "--pid", "host", "--ipc", "host", "shop"]);
    await inPod("web", "sleep 1000");
    const script = "for n in net pid ipc; do readlink /proc/self/ns/$n; done";
    expect(await exec("web", script)).toBe(await stocked.host.must(["sh", "-c", script]));
    await stocked.must(["pod", "rm", "-f", "shop"]);
    expect(await left()).toBe("0");
  });
});
