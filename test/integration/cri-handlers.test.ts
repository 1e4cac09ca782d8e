/** Pods of the CRI whose containers other runtimes run, as `crictl runp --runtime NAME` makes them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { CriHost } from "../support/cri.ts";
import { CriContainers } from "../support/cri-containers.ts";

let cri: CriHost;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
});
afterAll(async () => await cri[Symbol.asyncDispose]());

it.each(["runc", "crun", "runsc"])(
  "a pod of %s: its containers speak to each other, run commands, end, and go",
  { timeout: 180_000 },
  async (handler) => {
    const kernel = await cri.host.must(["uname", "-r"]);
    const podSandboxId = await cri.runPod({}, handler);
    const pod = new CriContainers(cri, podSandboxId);
    const { status, info } = await cri.runtime.podSandboxStatus({ podSandboxId, verbose: true });
    expect(status?.runtimeHandler).toBe(handler);
    expect(JSON.parse(info["info"] ?? "")).toMatchObject({ runtimeHandler: handler, runtimeType: handler });

    const server = await pod.run({ command: ["sh", "-c", "echo hello from the server | nc -l -p 8080; exit 5"] });
    const client = await pod.run({ envs: [{ key: "WHO", value: Buffer.from("me") }] });
    // runsc is a kernel of its own.
    expect((await pod.sh(client, "uname -r")) === kernel).toBe(handler !== "runsc");
    expect(await pod.exec(client, "sh", "-c", "echo $WHO; echo no >&2; exit 3")).toStrictEqual({
      stdout: "me\n",
      stderr: "no\n",
      exitCode: 3,
    });
    const ask = "for i in 1 2 3 4 5 6 7 8 9; do nc 127.0.0.1 8080 </dev/null && break; sleep 1; done";
    expect(await pod.sh(client, ask)).toBe("hello from the server");
    expect((await pod.ended(server)).exitCode).toBe(5);

    await cri.restart("SIGKILL");
    expect(await pod.sh(client, "echo still here")).toBe("still here");
    await cri.runtime.stopContainer({ containerId: client, timeout: 0n });
    expect((await pod.ended(client)).exitCode).toBe(137);
    await cri.runtime.stopPodSandbox({ podSandboxId });
    await cri.runtime.removePodSandbox({ podSandboxId });
    expect((await cri.runtime.listContainers({})).containers).toStrictEqual([]);
    expect((await cri.runtime.listPodSandbox({})).items).toStrictEqual([]);
  },
);
