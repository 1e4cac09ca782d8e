/** Containers of the CRI, over gRPC: their course, from their making to their removal. */
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContainerState, Signal } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";
import { eventually } from "../support/stocked-host.ts";

let cri: CriHost;
let pod: CriContainers;
let logs: string;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
  logs = join(cri.host.files, "logs");
  pod = new CriContainers(cri, await cri.runPod({ logDirectory: logs, hostname: "web" }));
});
afterAll(async () => await cri[Symbol.asyncDispose]());

/** Text of a log, without times. */
const log = async (name: string): Promise<string> => (await readFile(join(logs, name), "utf8")).replace(/^\S+ /gm, "");

describe("a container", () => {
  it("is created, runs, ends, and is gone when it is removed", async () => {
    const config = pod.config({
      metadata: { name: "main", attempt: 3 },
      command: ["sh", "-c"],
      args: ["trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"],
      labels: { app: "a" },
      annotations: { note: "b" },
      logPath: "main.log",
    });
    const { containerId: id } = await cri.runtime.createContainer({ podSandboxId: pod.podId, config });
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const created = await pod.status(id);
    expect(created).toMatchObject({
      id,
      metadata: { name: "main", attempt: 3 },
      state: ContainerState.CONTAINER_CREATED,
      startedAt: 0n,
      finishedAt: 0n,
      exitCode: 0,
      image: { image: cri.image("busybox") },
      reason: "",
      message: "",
      labels: { app: "a" },
      annotations: { note: "b" },
      mounts: [],
      logPath: join(logs, "main.log"),
      user: { linux: { uid: 0n, gid: 0n, supplementalGroups: [0n] } },
      stopSignal: Signal.SIGTERM,
    });
    expect(created.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(created.imageRef).toMatch(/busybox@sha256:[0-9a-f]{64}$/);
    expect(Number(created.createdAt / 1_000_000n)).toBeCloseTo(Date.now(), -5);
    await cri.runtime.startContainer({ containerId: id });
    const running = await pod.status(id);
    expect(running.state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(running.startedAt).toBeGreaterThanOrEqual(running.createdAt);
    await eventually("its output", async () => (await log("main.log")) === "stdout F ready\n");
    expect(await refusal(cri.runtime.startContainer({ containerId: id }))).toBe(
      `FailedPrecondition: Cannot start container "${id}": it is in state CONTAINER_RUNNING`,
    );
    await cri.runtime.stopContainer({ containerId: id, timeout: 10n });
    const ended = await pod.status(id);
    expect(ended).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 7, reason: "Error" });
    expect(ended.finishedAt).toBeGreaterThanOrEqual(ended.startedAt);
    await cri.runtime.stopContainer({ containerId: id, timeout: 10n });
    expect(await refusal(cri.runtime.startContainer({ containerId: id }))).toContain("CONTAINER_EXITED");
    await pod.remove(id);
    await pod.remove(id);
    await cri.runtime.stopContainer({ containerId: id, timeout: 0n });
    expect(await refusal(pod.status(id))).toBe(
      `NotFound: Cannot find container_id "${id}": there is none with this id`,
    );
    expect(await log("main.log")).toBe("stdout F ready\n");
  });

  it("ends as Completed, by Error, by OOMKilled, or by why it could not start", async () => {
    const completed = await pod.run({ command: ["true"] });
    expect(await pod.ended(completed)).toMatchObject({ exitCode: 0, reason: "Completed", message: "" });
    const killed = await pod.run({
      command: ["sh", "-c", "head -c 100m /dev/zero | tail"],
      linux: { resources: { memoryLimitInBytes: 16n * 1024n * 1024n } },
    });
    const { exitCode, reason, startedAt, finishedAt } = await pod.ended(killed);
    expect([exitCode, reason]).toEqual([137, "OOMKilled"]);
    expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
    const missing = await pod.create({ command: ["/no/such"] });
    expect(await refusal(cri.runtime.startContainer({ containerId: missing }))).toMatch(
      /^FailedPrecondition: .*\/no\/such/,
    );
    expect(await pod.status(missing)).toMatchObject({
      state: ContainerState.CONTAINER_EXITED,
      exitCode: 127,
      reason: "ContainerCannotRun",
      message: expect.stringContaining("/no/such") as string,
    });
    const broken = await pod.create({ mounts: [{ hostPath: "/proc/version", containerPath: "/bin" }] });
    expect(await refusal(cri.runtime.startContainer({ containerId: broken }))).toMatch(/^\w+: Cannot /);
    expect(await pod.status(broken)).toMatchObject({
      state: ContainerState.CONTAINER_EXITED,
      exitCode: 128,
      reason: "StartError",
    });
    for (const id of [completed, killed, missing, broken]) await pod.remove(id);
  });

  it("is stopped by its own signal, by the image's, and killed when it does not end", async () => {
    const script = (signal: string): string[] => [
      "sh",
      "-c",
      `trap 'exit 5' ${signal}; trap : TERM; touch /ready; while :; do sleep 0.05; done`,
    ];
    const ready = async (id: string): Promise<void> =>
      await eventually("the traps", async () => (await pod.exec(id, "test", "-e", "/ready")).exitCode === 0);
    const own = await pod.run({ command: script("USR1"), stopSignal: Signal.SIGUSR1 });
    expect((await pod.status(own)).stopSignal).toBe(Signal.SIGUSR1);
    await ready(own);
    await cri.runtime.stopContainer({ containerId: own, timeout: 10n });
    expect((await pod.status(own)).exitCode).toBe(5);
    const stubborn = await pod.run({ command: script("USR1") });
    await ready(stubborn);
    await cri.runtime.stopContainer({ containerId: stubborn, timeout: 1n });
    expect(await pod.status(stubborn)).toMatchObject({ exitCode: 137, reason: "Error" });
    const atOnce = await pod.run({ command: script("TERM"), stopSignal: Signal.SIGRTMINPLUS3 });
    expect((await pod.status(atOnce)).stopSignal).toBe(Signal.SIGRTMINPLUS3);
    await cri.runtime.stopContainer({ containerId: atOnce, timeout: 0n });
    expect((await pod.status(atOnce)).exitCode).toBe(137);
    for (const id of [own, stubborn, atOnce]) await pod.remove(id);
  });

  it("is removed while it runs, and listed by id, pod, state and labels until then", async () => {
    const other = new CriContainers(cri, await cri.runPod());
    const one = await pod.run({ labels: { tier: "x", app: "a" } });
    const two = await other.create({ labels: { tier: "x", app: "b" } });
    const ids = async (filter: object): Promise<string[]> => {
      const { containers } = await cri.runtime.listContainers({ filter });
      return containers.map(({ id }) => id);
    };
    expect(await ids({ labelSelector: { tier: "x" } })).toEqual([two, one]);
    expect(await ids({ labelSelector: { tier: "x", app: "a" } })).toEqual([one]);
    expect(await ids({ labelSelector: { tier: "x" }, podSandboxId: other.podId.slice(0, 12) })).toEqual([two]);
    expect(await ids({ state: { state: ContainerState.CONTAINER_CREATED } })).toEqual([two]);
    expect(await ids({ id: one.slice(0, 12) })).toEqual([one]);
    expect(await ids({ id: one.slice(0, 12), podSandboxId: other.podId })).toEqual([]);
    const streamed = [];
    for await (const { containers } of cri.runtime.streamContainers({ filter: { id: one } }))
      streamed.push(...containers);
    expect(streamed).toMatchObject([
      {
        id: one,
        podSandboxId: pod.podId,
        state: ContainerState.CONTAINER_RUNNING,
        image: { image: cri.image("busybox") },
        labels: { tier: "x", app: "a" },
      },
    ]);
    await Promise.all([pod.remove(one), pod.remove(one)]);
    expect(await ids({ id: one })).toEqual([]);
    await cri.runtime.removePodSandbox({ podSandboxId: other.podId });
    expect(await ids({ id: two })).toEqual([]);
  });

  it("goes on in a new log when the old one was renamed", async () => {
    const id = await pod.run({
      command: ["sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done"],
      logPath: "rotated/0.log",
    });
    const path = join(logs, "rotated/0.log");
    await eventually("some output", async () => (await log("rotated/0.log")).includes(" 3\n"));
    await rename(path, `${path}.1`);
    await cri.runtime.reopenContainerLog({ containerId: id });
    await eventually("output in the new file", async () => (await log("rotated/0.log")).length > 30);
    await cri.runtime.stopContainer({ containerId: id, timeout: 0n });
    const numbers = `${await log("rotated/0.log.1")}${await log("rotated/0.log")}`
      .trim()
      .split("\n")
      .map((line) => Number(line.replace("stdout F ", "")));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(await refusal(cri.runtime.reopenContainerLog({ containerId: id }))).toBe(
      `FailedPrecondition: Cannot reopen the log of container "${id}": it is not running`,
    );
    await pod.remove(id);
  });

  it("runs commands in it, whose output may be anything, for as long as they may", async () => {
    const id = await pod.run();
    expect(await pod.exec(id, "sh", "-c", "echo out; echo err >&2; exit 3")).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      exitCode: 3,
    });
    const binary = await cri.runtime.execSync({ containerId: id, cmd: ["printf", "\\000\\377\\n"] });
    expect([...binary.stdout]).toEqual([0, 255, 10]);
    const started = Date.now();
    const slow = cri.runtime.execSync({ containerId: id, cmd: ["sh", "-c", "sleep 987 & wait"], timeout: 1n });
    expect(await refusal(slow)).toMatch(/^DeadlineExceeded: .*command timed out/);
    expect(Date.now() - started).toBeLessThan(8000);
    await eventually("no process of it", async () => !(await pod.sh(id, "ps")).includes("sleep 987"));
    const large = await cri.runtime.execSync({ containerId: id, cmd: ["head", "-c", "20m", "/dev/zero"] });
    expect(large.stdout.length).toBe(16 * 1024 * 1024 - 4096);
    expect(large.exitCode).toBe(0);
    expect(await refusal(cri.runtime.execSync({ containerId: id, cmd: ["/no/such"] }))).toMatch(
      /^InvalidArgument: .*\/no\/such/,
    );
    await cri.runtime.stopContainer({ containerId: id, timeout: 0n });
    expect(await refusal(cri.runtime.execSync({ containerId: id, cmd: ["true"] }))).toBe(
      `FailedPrecondition: Cannot run a command in container "${id}": it is not running`,
    );
    await pod.remove(id);
  });

  it("is told of in full with verbose", async () => {
    const id = await pod.run({ workingDir: "/tmp" });
    const { info } = await cri.runtime.containerStatus({ containerId: id, verbose: true });
    const told = JSON.parse(info["info"] ?? "{}") as {
      readonly pid: number;
      readonly sandboxID: string;
      readonly config: { readonly command: readonly string[] };
      readonly runtimeSpec: { readonly process: { readonly cwd: string; readonly args: readonly string[] } };
    };
    expect(told).toMatchObject({
      sandboxID: pod.podId,
      config: { command: ["sleep", "1000"] },
      runtimeSpec: { process: { cwd: "/tmp", args: ["sleep", "1000"] } },
    });
    expect(told.pid).toBeGreaterThan(1);
    expect((await cri.runtime.containerStatus({ containerId: id })).info).toEqual({});
    await pod.remove(id);
  });

  it("goes on while the daemon does not, and nothing of it is lost", async () => {
    const running = await pod.run({ command: ["sh", "-c", "while :; do echo x; sleep 0.05; done"], logPath: "on.log" });
    const ending = await pod.run({ command: ["sh", "-c", "sleep 1; exit 9"] });
    const waiting = await pod.create();
    const missing = await pod.create({ command: ["/no/such"] });
    await cri.runtime.startContainer({ containerId: missing }).catch(() => undefined);
    const before = await pod.status(running);
    await cri.restart("SIGKILL");
    expect(await pod.status(running)).toEqual(before);
    expect(await pod.ended(ending)).toMatchObject({ exitCode: 9, reason: "Error" });
    expect(await pod.status(missing)).toMatchObject({ exitCode: 127, reason: "ContainerCannotRun" });
    await cri.runtime.startContainer({ containerId: waiting });
    expect(await pod.sh(waiting, "hostname; cat /etc/hostname; echo $HOSTNAME")).toBe("web\nweb\nweb");
    const size = (await log("on.log")).length;
    await eventually("further output", async () => (await log("on.log")).length > size);
    for (const id of [running, ending, waiting, missing]) await pod.remove(id);
  });
});
