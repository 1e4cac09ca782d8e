import { describe, expect, it } from "vitest";
import type { HostFacts } from "../host-facts.ts";
import { briefly, brieflySteps } from "../testing/brief.ts";
import { hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";

const host: HostFacts = {
  ...hostV2,
  resctrl: {
    mount: "/sys/fs/resctrl",
    rootSchemata: "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n",
    groups: new Map([["shared", "    MB:0= 20;1= 70\n    L3:0=07f0;1=1F\n"]]),
  },
};

const plan = (intelRdt: object, id?: string) =>
  planContainer(sampleConfig({}, { intelRdt }), host, id === undefined ? options : { ...options, id });
const steps = (intelRdt: object, id?: string): string[] =>
  brieflySteps(plan(intelRdt, id).steps).filter((line) => line.includes("resctrl"));
const exit = (intelRdt: object): string[] => briefly(plan(intelRdt).exit).filter((line) => line.includes("resctrl"));

const write = (path: string, data: string): string =>
  `write-file path=/sys/fs/resctrl/${path} data=${data} tolerate=false`;
const make = (path: string): string => `host-directory path=/sys/fs/resctrl/${path} mode=0755 uid=0 gid=0`;

describe("planContainer()", () => {
  it("makes a class of the container's own, named by its id, and removes it at the end", () => {
    const intelRdt = { memBwSchema: "MB:0=20", l3CacheSchema: "L3:0=f", schemata: ["L2:0=3"], enableMonitoring: true };
    expect(steps(intelRdt, "ctr")).toEqual([
      make("ctr"),
      // The spec's order: L3, MB, then the rest.
      write("ctr/schemata", String.raw`"L3:0=f\nMB:0=20\nL2:0=3\n"`),
      make("ctr/mon_groups/ctr"),
      write("ctr/tasks", "0"),
      write("ctr/mon_groups/ctr/tasks", "0"),
    ]);
    expect(exit(intelRdt)).toEqual([
      "remove-directory path=/sys/fs/resctrl/abc/mon_groups/abc",
      "remove-directory path=/sys/fs/resctrl/abc",
    ]);
  });

  it("joins before clone, so that the container's process is born in it", () => {
    const lines = brieflySteps(plan({}).steps);
    expect(lines.findIndex((line) => line.includes("abc/tasks"))).toBeLessThan(
      lines.findIndex((line) => line.startsWith("clone")),
    );
  });

  it("uses a class that is there, as it is, and leaves it at the end", () => {
    expect(steps({ closID: "shared" })).toEqual([write("shared/tasks", "0")]);
    expect(steps({ closID: "/", enableMonitoring: true })).toEqual([
      make("mon_groups/abc"),
      write("tasks", "0"),
      write("mon_groups/abc/tasks", "0"),
    ]);
    expect(exit({ closID: "shared" })).toEqual([]);
    expect(exit({ closID: "/", enableMonitoring: true })).toEqual([
      "remove-directory path=/sys/fs/resctrl/mon_groups/abc",
    ]);
  });

  it("takes a class whose schemata are as the config says, in whatever order, and refuses another", () => {
    expect(steps({ closID: "shared", l3CacheSchema: "L3:1=1f;0=7f0", memBwSchema: "MB:1=70" })).toHaveLength(2);
    expect(() => steps({ closID: "shared", memBwSchema: "MB:0=30" })).toThrow(
      'Cannot use class of service "shared": its schemata are not "MB:0=30"',
    );
    expect(() => steps({ closID: "/", l3CacheSchema: "L3:0=f" })).toThrow('its schemata are not "L3:0=f"');
    expect(() => steps({ closID: "none" })).toThrow('Cannot use class of service "none": it does not exist');
    expect(steps({ closID: "none", schemata: ["L3:0=f"] })[0]).toBe(make("none"));
  });
});

describe("planExec()", () => {
  it("joins the container's group before its namespaces", () => {
    const config = sampleConfig({}, { intelRdt: { enableMonitoring: true } });
    const { cgroupPaths } = planContainer(config, host, options);
    if (config.process === undefined) throw new Error("no process");
    expect(brieflySteps(planExec(config.process, config, host, cgroupPaths, {}).steps).slice(0, 3)).toEqual([
      write("abc/tasks", "0"),
      write("abc/mon_groups/abc/tasks", "0"),
      "join-container namespaces=0x6e020000",
    ]);
  });
});
