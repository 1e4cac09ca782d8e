import { describe, expect, it } from "vitest";
import { operationsOf } from "../explain/explain.ts";
import { hostV1, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";

const annotations = {
  "org.sampan.landlock": JSON.stringify({
    handledAccessFS: ["execute", "write_file", "ioctl_dev"],
    handledAccessNet: ["connect_tcp"],
    scoped: ["signal"],
    rules: {
      pathBeneath: [
        { allowedAccess: ["write_file"], paths: ["/tmp", "/./var//tmp"] },
        { allowedAccess: ["execute", "ioctl_dev"], paths: ["/"] },
      ],
      netPort: [{ allowedAccess: ["connect_tcp"], ports: [80, 443] }],
    },
  }),
};
const operation = {
  op: "landlock",
  handledFiles: 0x8003n,
  handledNetwork: 2n,
  scoped: 2n,
  bestEffort: false,
  paths: [
    { path: "/tmp", access: 2n },
    { path: "/var/tmp", access: 2n },
    { path: "/", access: 0x8001n },
  ],
  ports: [
    { port: 80, access: 2n },
    { port: 443, access: 2n },
  ],
};

describe("planContainer()", () => {
  it("restricts just before the filter: while it has privilege, or with no_new_privs after all else", () => {
    const order = (noNewPrivileges: boolean): string[] =>
      operationsOf(planContainer(sampleConfig({ noNewPrivileges }, {}, { annotations }), hostV1, options))
        .map(({ op }) => op)
        .slice(-9);
    const restricted = ["landlock", "seccomp", "user", "capabilities", "find-executable", "wait-start", "exec"];
    expect(order(false)).toEqual(["stdio-owner", "working-directory", ...restricted]);
    const last = ["find-executable", "wait-start", "no-new-privileges", "landlock", "seccomp", "exec"];
    expect(order(true).slice(-7)).toEqual(["working-directory", ...last]);
  });

  it("compiles the annotation to bits, for exec too", () => {
    const config = sampleConfig({}, {}, { annotations });
    const plan = planContainer(config, hostV1, options);
    if (config.process === undefined) throw new Error("no process");
    const exec = planExec(config.process, config, hostV1, plan.cgroupPaths, {});
    for (const program of [plan, exec])
      expect(operationsOf(program).filter(({ op }) => op === "landlock")).toEqual([operation]);
  });

  it("refuses a path that climbs", () => {
    const climbing = {
      "org.sampan.landlock": JSON.stringify({
        handledAccessFS: ["execute"],
        rules: { pathBeneath: [{ allowedAccess: ["execute"], paths: ["/a/../b"] }] },
      }),
    };
    expect(() => planContainer(sampleConfig({}, {}, { annotations: climbing }), hostV1, options)).toThrow(
      'Cannot allow access below "/a/../b": the path contains ".."',
    );
  });
});
