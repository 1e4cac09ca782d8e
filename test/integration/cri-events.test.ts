/** Events of the CRI, over gRPC. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContainerState } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { PodSandboxState } from "../../src/api/cri/gen/runtime/v1/pods_pb.ts";
import { ContainerEventType, type ContainerEventResponse } from "../../src/api/cri/gen/runtime/v1/runtime_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers } from "../support/cri-containers.ts";
import { eventually } from "../support/stocked-host.ts";

let cri: CriHost;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
});
afterAll(async () => await cri[Symbol.asyncDispose]());

const words: ReadonlyMap<ContainerEventType, string> = new Map([
  [ContainerEventType.CONTAINER_CREATED_EVENT, "CREATED"],
  [ContainerEventType.CONTAINER_STARTED_EVENT, "STARTED"],
  [ContainerEventType.CONTAINER_STOPPED_EVENT, "STOPPED"],
  [ContainerEventType.CONTAINER_DELETED_EVENT, "DELETED"],
]);

/** Follows events from its making on. */
class Follower {
  readonly events: ContainerEventResponse[] = [];
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor() {
    this.#done = this.#follow().catch(() => undefined);
  }

  async #follow(): Promise<void> {
    for await (const event of cri.runtime.getContainerEvents({}, { signal: this.#abort.signal }))
      this.events.push(event);
  }

  /** As `STARTED of ID`. */
  get words(): readonly string[] {
    return this.events.map(({ containerId, containerEventType: type }) => `${words.get(type) ?? ""} ${containerId}`);
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

/** The stream is there when its first event comes. */
async function follower(): Promise<Follower> {
  const one = new Follower();
  await eventually("the stream", async () => {
    const podSandboxId = await cri.runPod({ linux: { securityContext: { namespaceOptions: { network: 2 } } } });
    await cri.runtime.removePodSandbox({ podSandboxId });
    return one.events.length > 0;
  });
  await eventually("the last of it", () => one.words.at(-1)?.startsWith("DELETED") === true);
  one.events.splice(0);
  return one;
}

describe("getContainerEvents()", () => {
  it("tells each step of a pod and a container once, with how they are", async () => {
    const one = await follower();
    const podSandboxId = await cri.runPod({ labels: { app: "web" } });
    const pod = new CriContainers(cri, podSandboxId);
    const containerId = await pod.run({ command: ["sh", "-c", "exit 3"] });
    await pod.ended(containerId);
    await cri.runtime.removeContainer({ containerId });
    await cri.runtime.stopPodSandbox({ podSandboxId });
    await cri.runtime.removePodSandbox({ podSandboxId });
    const wanted = [
      `CREATED ${podSandboxId}`,
      `STARTED ${podSandboxId}`,
      `CREATED ${containerId}`,
      `STARTED ${containerId}`,
      `STOPPED ${containerId}`,
      `DELETED ${containerId}`,
      `STOPPED ${podSandboxId}`,
      `DELETED ${podSandboxId}`,
    ];
    await eventually("all events", () => one.words.length >= wanted.length);
    await one.end();
    expect(one.words).toStrictEqual(wanted);
    const times = one.events.map(({ createdAt }) => createdAt);
    expect(times.toSorted((a, b) => (a < b ? -1 : 1))).toStrictEqual(times);
    expect(one.events[1]?.podSandboxStatus).toMatchObject({
      id: podSandboxId,
      state: PodSandboxState.SANDBOX_READY,
      labels: { app: "web" },
    });
    const [ended] = one.events[4]?.containersStatuses ?? [];
    expect(ended).toMatchObject({ id: containerId, state: ContainerState.CONTAINER_EXITED, exitCode: 3 });
    expect(one.events[5]?.containersStatuses).toStrictEqual([]);
    expect(one.events[7]?.podSandboxStatus).toBeUndefined();
  });

  it("a client that does not read holds up nobody, and several have the same", async () => {
    const stuck = cri.runtime.getContainerEvents({})[Symbol.asyncIterator]();
    const readers = [await follower(), await follower()];
    const pod = new CriContainers(cri, await cri.runPod());
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const containerId = await pod.run({ command: ["true"] });
      ids.push(containerId);
      await cri.runtime.removeContainer({ containerId });
    }
    for (const one of readers) {
      await eventually("the last event", () => one.words.includes(`DELETED ${ids.at(-1)}`));
      for (const id of ids) expect(one.words).toContain(`STARTED ${id}`);
      await one.end();
    }
    await stuck.return?.();
  });

  it("says nothing of containers that the CRI did not make", async () => {
    const one = await follower();
    await cri.stocked.must(["--namespace", "k8s.io", "run", "--rm", "--network", "none", cri.image("busybox"), "true"]);
    const podSandboxId = await cri.runPod();
    await eventually("the pod's event", () => one.words.includes(`STARTED ${podSandboxId}`));
    await one.end();
    expect(new Set(one.events.map(({ containerId }) => containerId))).toStrictEqual(new Set([podSandboxId]));
  });
});
