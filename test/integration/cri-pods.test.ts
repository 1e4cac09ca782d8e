/** Pods of the CRI, over gRPC. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PodSandboxState } from "../../src/api/cri/gen/runtime/v1/pods_pb.ts";
import { CriHost } from "../support/cri.ts";

let cri: CriHost;
beforeAll(async () => (cri = await CriHost.create([])));
afterAll(async () => await cri[Symbol.asyncDispose]());

describe("a pod", () => {
  it("is ready when it is made, not ready when it is stopped, and gone when it is removed", async () => {
    const id = await cri.runPod({ labels: { app: "a" }, annotations: { note: "b" } });
    const { status } = await cri.runtime.podSandboxStatus({ podSandboxId: id });
    expect(status).toMatchObject({
      id,
      metadata: { name: "pod1", namespace: "test", uid: "uid-1", attempt: 0 },
      state: PodSandboxState.SANDBOX_READY,
      labels: { app: "a" },
      annotations: { note: "b" },
    });
    await cri.runtime.stopPodSandbox({ podSandboxId: id });
    const { items } = await cri.runtime.listPodSandbox({ filter: { id: id.slice(0, 9) } });
    expect(items.map((item) => [item.id, item.state])).toEqual([[id, PodSandboxState.SANDBOX_NOTREADY]]);
    await cri.runtime.removePodSandbox({ podSandboxId: id });
    expect((await cri.runtime.listPodSandbox({})).items).toEqual([]);
  });
});
