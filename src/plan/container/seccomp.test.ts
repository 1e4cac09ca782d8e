import type { SeccompProfile } from "#spec";
import { describe, expect, it } from "vitest";
import { brieflySteps } from "../testing/brief.ts";
import { hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";
import { addSeccompListener } from "./seccomp.ts";
import { StepList } from "./step-list.ts";

const profile: SeccompProfile = {
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: [],
  listenerPath: "/run/agent.sock",
  listenerMetadata: 'a "b"',
  syscalls: [{ names: ["mount"], action: "SCMP_ACT_NOTIFY", args: [] }],
};
const linux = { seccomp: { ...profile, listenerMetadata: undefined } };
const steps = (p: SeccompProfile | undefined, state: readonly [string, string] | readonly [string]) => {
  const list = new StepList();
  addSeccompListener(list, p, "1.3.0", state);
  return list.steps.map(({ operation }) => operation);
};

describe("addSeccompListener()", () => {
  it("tells the agent the pid of a container's process twice: in its own right and in the state", () => {
    expect(steps(profile, ['{"id":"c","pid":', ',"bundle":"/b"}'])).toEqual([
      {
        op: "seccomp-listener",
        path: "/run/agent.sock",
        before: '{"ociVersion":"1.3.0","fds":["seccompFd"],"pid":',
        between: ',"metadata":"a \\"b\\"","state":{"id":"c","pid":',
        after: ',"bundle":"/b"}}',
        pidfd: false,
      },
    ]);
  });

  it("tells it the state of the container as it is, for another process in it", () => {
    const [operation] = steps({ ...profile, listenerMetadata: "" }, ['{"id":"c","pid":7}']);
    expect(operation).toMatchObject({ between: "", after: ',"state":{"id":"c","pid":7}}' });
  });

  it("ignores the path when no rule asks the agent", () => {
    const syscalls = [{ names: ["mount"], action: "SCMP_ACT_ERRNO", args: [] }] as const;
    expect([...steps({ ...profile, syscalls }, ["{}"]), ...steps(undefined, ["{}"])]).toEqual([]);
  });

  it("refuses what runc refuses, and a profile without an agent or a state to give it", () => {
    const write = [{ names: ["read", "write"], action: "SCMP_ACT_NOTIFY", args: [] }] as const;
    const refusal = (p: SeccompProfile, state?: readonly [string]) => () =>
      addSeccompListener(new StepList(), p, "1.3.0", state);
    expect(refusal({ ...profile, syscalls: write }, ["{}"])).toThrow(
      "SCMP_ACT_NOTIFY cannot be used for the write syscall",
    );
    expect(refusal({ ...profile, defaultAction: "SCMP_ACT_NOTIFY" }, ["{}"])).toThrow(
      "SCMP_ACT_NOTIFY cannot be used as default action",
    );
    expect(refusal({ ...profile, listenerPath: undefined }, ["{}"])).toThrow("needs linux.seccomp.listenerPath");
    expect(refusal({ ...profile, listenerPath: "agent.sock" }, ["{}"])).toThrow(
      'Cannot connect to the seccomp agent "agent.sock"',
    );
    expect(refusal(profile)).toThrow("SCMP_ACT_NOTIFY needs a container whose state its agent can be told");
  });
});

describe("planContainer() and planExec()", () => {
  it("connect to the agent while the host's paths hold, and ask the filter for a listener", () => {
    const config = sampleConfig({}, linux);
    const plan = planContainer(config, hostV2, { ...options, hookState: (s) => [`{"status":"${s}","pid":`, "}"] });
    const find = (list: readonly string[]) => list.filter((step) => /^(seccomp|clone|join-container)/.test(step));
    expect(find(brieflySteps(plan.steps)).map((step) => step.split(" ").slice(0, 2).join(" "))).toEqual([
      "seccomp-listener path=/run/agent.sock",
      expect.stringMatching(/^clone /),
      expect.stringMatching(/^seccomp /),
    ]);
    if (config.process === undefined) throw new Error("no process");
    const { steps: exec } = planExec(config.process, config, hostV2, new Map(), { state: "{}" });
    expect(find(brieflySteps(exec)).map((step) => step.split(" ")[0])).toEqual([
      "seccomp-listener",
      "join-container",
      "clone",
      "seccomp",
    ]);
    expect(exec.find(({ operation }) => operation.op === "seccomp")?.operation).toMatchObject({ flags: 12 });
  });
});
