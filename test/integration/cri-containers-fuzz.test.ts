/** Random requests about containers, valid ones and others, in random order, against a model of the states they are in. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ContainerState } from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";

let cri: CriHost;
beforeAll(async () => (cri = await CriHost.create(["busybox"])));
afterAll(async () => await cri[Symbol.asyncDispose]());

type State = "created" | "running" | "exited" | "removed";

interface Model {
  readonly pod: CriContainers;
  readonly containers: { readonly id: string; state: State }[];
}

/** What a request is about: one of the model's containers, or what is none. */
type Target = { readonly index: number } | { readonly text: string };
type Call = "start" | "stop" | "remove" | "status" | "exec" | "update" | "reopen";
type Step =
  | { readonly kind: "create"; readonly good: boolean }
  | { readonly kind: "call"; readonly call: Call; readonly target: Target };

const target = fc.oneof(
  { weight: 9, arbitrary: fc.record({ index: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ text: fc.oneof(fc.constantFrom("", "..", "f".repeat(64), "f".repeat(200)), fc.string()) }),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("create" as const), good: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      call: fc.constantFrom<Call>("start", "stop", "remove", "status", "exec", "update", "reopen"),
      target,
    }),
  },
);

/** The state after a call, or the code that it fails with; none for one that does not concern states. */
const rules: Readonly<Record<Call, Readonly<Record<State, State | "FailedPrecondition" | "NotFound">>>> = {
  start: { created: "running", running: "FailedPrecondition", exited: "FailedPrecondition", removed: "NotFound" },
  stop: { created: "created", running: "exited", exited: "exited", removed: "removed" },
  remove: { created: "removed", running: "removed", exited: "removed", removed: "removed" },
  status: { created: "created", running: "running", exited: "exited", removed: "NotFound" },
  exec: { created: "FailedPrecondition", running: "running", exited: "FailedPrecondition", removed: "NotFound" },
  update: { created: "created", running: "running", exited: "FailedPrecondition", removed: "NotFound" },
  reopen: { created: "FailedPrecondition", running: "running", exited: "FailedPrecondition", removed: "NotFound" },
};

const calls: Readonly<Record<Call, (containerId: string) => Promise<unknown>>> = {
  start: async (containerId) => await cri.runtime.startContainer({ containerId }),
  stop: async (containerId) => await cri.runtime.stopContainer({ containerId, timeout: 0n }),
  remove: async (containerId) => await cri.runtime.removeContainer({ containerId }),
  status: async (containerId) => await cri.runtime.containerStatus({ containerId, verbose: true }),
  exec: async (containerId) => await cri.runtime.execSync({ containerId, cmd: ["true"], timeout: 20n }),
  update: async (containerId) =>
    await cri.runtime.updateContainerResources({ containerId, linux: { cpuShares: 300n } }),
  reopen: async (containerId) => await cri.runtime.reopenContainerLog({ containerId }),
};

const states: Readonly<Record<Exclude<State, "removed">, ContainerState>> = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
};

const bad = [
  { metadata: { name: "" } },
  { image: { image: "docker.io/library/nowhere" } },
  { logPath: "../x" },
  { mounts: [{ containerPath: "/x", hostPath: "x" }] },
  { linux: { securityContext: { runAsGroup: { value: 1n } } } },
];
let worse = 0;

async function take(model: Model, given: Step): Promise<void> {
  if (given.kind === "create") {
    if (given.good) {
      const id = await model.pod.create({ logPath: `${model.containers.length}.log` });
      model.containers.push({ id, state: "created" });
    } else
      expect(await refusal(model.pod.create(bad[worse++ % bad.length]))).toMatch(
        /^(InvalidArgument|NotFound): Cannot /,
      );
    return;
  }
  const { call, target: about } = given;
  if ("text" in about) {
    const idempotent = (call === "stop" || call === "remove") && about.text !== "";
    if (idempotent) await calls[call](about.text);
    else
      expect(await refusal(calls[call](about.text))).toMatch(about.text === "" ? /^InvalidArgument: / : /^NotFound: /);
    return;
  }
  const container = model.containers[about.index];
  if (container === undefined) return;
  const outcome = rules[call][container.state];
  if (outcome === "FailedPrecondition" || outcome === "NotFound")
    expect(await refusal(calls[call](container.id))).toMatch(new RegExp(`^${outcome}: Cannot `));
  else {
    await calls[call](container.id);
    container.state = outcome;
  }
}

it("any requests in any order leave containers in the states that the interface says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const pod = new CriContainers(cri, await cri.runPod({ logDirectory: `${cri.host.files}/logs` }));
      const model: Model = { pod, containers: [] };
      try {
        for (const one of steps) {
          await take(model, one);
          const { containers } = await cri.runtime.listContainers({ filter: { podSandboxId: pod.podId } });
          const seen = new Map(containers.map(({ id, state }) => [id, state]));
          const wanted = model.containers.flatMap(({ id, state }): [string, ContainerState][] =>
            state === "removed" ? [] : [[id, states[state]]],
          );
          expect(seen).toEqual(new Map(wanted.toReversed()));
        }
      } finally {
        await cri.runtime.removePodSandbox({ podSandboxId: pod.podId });
      }
      expect((await cri.runtime.listContainers({})).containers).toEqual([]);
    }),
    // The same requests each time, unless others are asked for.
    {
      numRuns: Number(process.env["SAMPAN_FUZZ_RUNS"] ?? 12),
      seed: Number(process.env["SAMPAN_SEED"] ?? 1),
      endOnFailure: true,
    },
  );
  // Nothing of all that is left on the host.
  const { state, cgroupParent } = cri.host;
  const left = `ls -A ${state}/containers ${state}/pods | grep -c '^[0-9a-f]\\{64\\}'; find /sys/fs/cgroup/memory${cgroupParent} -mindepth 1 -type d 2>/dev/null | wc -l; true`;
  expect(await cri.host.must(["sh", "-c", left])).toBe("0\n0");
}, 240_000);
