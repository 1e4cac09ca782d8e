import { describe, expect, it } from "vitest";
import type { HostFacts } from "../host-facts.ts";
import { planRollback } from "../cgroup/rollback.ts";
import { briefly, brieflySteps } from "../testing/brief.ts";
import { hostV2 } from "../testing/samples.ts";
import { planRdtUpdate } from "./rdt-update.ts";

const resctrl = {
  mount: "/sys/fs/resctrl",
  rootSchemata: "L3:0=7ff\nMB:0=100\n",
  groups: new Map([["ctr", "L3:0=f\n"]]),
};
const host: HostFacts = { ...hostV2, resctrl };
const update = { l3CacheSchema: "L3:0=3", memBwSchema: "MB:0=20" };
const none = { schemata: [], enableMonitoring: false };

const write = (path: string, data: string): string =>
  `write-file path=/sys/fs/resctrl/${path} data=${data} tolerate=false`;
const schemata = String.raw`"L3:0=3\nMB:0=20\n"`;

describe("planRdtUpdate()", () => {
  it("changes the class that the container is in", () => {
    const options = { id: "ctr", tasks: [7, 8] };
    expect(brieflySteps(planRdtUpdate(update, host, { ...options, config: none }).steps)).toEqual([
      write("ctr/schemata", schemata),
    ]);
    const shared = planRdtUpdate({ memBwSchema: "MB:0=5" }, host, {
      ...options,
      config: { ...none, closID: "shared" },
    });
    expect([brieflySteps(shared.steps), shared.exit]).toEqual([[write("shared/schemata", String.raw`"MB:0=5\n"`)], []]);
  });

  it("makes one for a container without, moves its threads there, and removes it at the end", () => {
    const fresh: HostFacts = { ...host, resctrl: { ...resctrl, groups: new Map() } };
    const { steps, exit } = planRdtUpdate(update, fresh, { config: undefined, id: "ctr", tasks: [7, 8] });
    expect(brieflySteps(steps)).toEqual([
      "host-directory path=/sys/fs/resctrl/ctr mode=0755 uid=0 gid=0",
      write("ctr/schemata", schemata),
      write("ctr/tasks", "7"),
      write("ctr/tasks", "8"),
    ]);
    expect(briefly(exit)).toEqual(["remove-directory path=/sys/fs/resctrl/ctr"]);
  });

  it("does nothing where nothing is asked for, and needs the filesystem where something is", () => {
    expect(planRdtUpdate({}, host, { config: none, id: "ctr", tasks: [] })).toEqual({ steps: [], exit: [] });
    expect(() => planRdtUpdate(update, hostV2, { config: none, id: "ctr", tasks: [] })).toThrow(
      "Cannot apply linux.intelRdt: this host has no resctrl filesystem mounted",
    );
  });

  it("can be undone: only the lines of the resources that were written", () => {
    const { steps } = planRdtUpdate({ memBwSchema: "MB:0=5" }, host, { config: none, id: "ctr", tasks: [] });
    const path = "/sys/fs/resctrl/ctr/schemata";
    const saved = new Map([[path, "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n"]]);
    expect(planRollback({ steps, warnings: [], resources: {} as never, undoDevices: [] }, saved, 1)).toEqual([
      { op: "write-file", path, data: "    MB:0=100;1=100\n", tolerate: false },
    ]);
  });
});
