import { parseResources } from "#spec";
import { describe, expect, it } from "vitest";
import { hostV1, hostV2 } from "../testing/samples.ts";
import { freshLimits } from "./current-limits.ts";
import { planUpdate, type Update } from "./plan-update.ts";
import { planRollback, updatedFiles } from "./rollback.ts";

const v1 = new Map(
  ["cpu", "cpuset", "memory", "pids", "devices", "blkio", "net_prio"].map((name) => [name, `/${name}`]),
);
const v2 = new Map(["", "cpu", "cpuset", "memory", "pids", "io", "rdma"].map((name) => [name, "/cg"]));

function update(version: 1 | 2, json: object, before: object = {}): Update {
  const options = { before: parseResources(before), cgroupPaths: version === 1 ? v1 : v2, current: freshLimits };
  return planUpdate(parseResources(json), version === 1 ? hostV1 : hostV2, options);
}

/** What undoes the first steps of an update, as `path data`. */
function undone(
  change: Update,
  files: Readonly<Record<string, string>>,
  done = change.steps.length,
): readonly string[] {
  const saved = new Map(updatedFiles(change).map((path) => [path, files[path]]));
  return planRollback(change, saved, done).map((o) => (o.op === "write-file" ? `${o.path} ${o.data}` : o.op));
}

const device = { major: 8, minor: 0 };

describe("updatedFiles()", () => {
  it("names every file that is read before, of a choice all, and none that can't be read", () => {
    const devices = [{ allow: true, type: "c", major: 10, minor: 229, access: "rw" }];
    const change = update(1, { devices, pids: { limit: 5 }, blockIO: { weight: 100 }, cpu: { cpus: "0", mems: "0" } });
    expect(updatedFiles(change)).toEqual([
      "/cpuset/cpuset.cpus",
      "/cpuset/cpuset.mems",
      "/pids/pids.max",
      "/blkio/blkio.weight",
      "/blkio/blkio.bfq.weight",
    ]);
  });
});

describe("planRollback()", () => {
  it("writes back what has been changed, the last first, and nothing that has not", () => {
    const change = update(1, { memory: { limit: 400, swap: 500 }, pids: { limit: 5 }, cpu: { cpus: "1" } });
    const files = {
      "/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/memory/memory.memsw.limit_in_bytes": "9223372036854771712\n",
      "/cpuset/cpuset.cpus": "0-1\n",
      "/pids/pids.max": "max\n",
    };
    expect(undone(change, files)).toEqual([
      "/pids/pids.max max",
      "/cpuset/cpuset.cpus 0-1",
      "/memory/memory.memsw.limit_in_bytes 9223372036854771712",
      "/memory/memory.limit_in_bytes 9223372036854771712",
    ]);
    expect(undone(change, files, 1)).toEqual(["/memory/memory.limit_in_bytes 9223372036854771712"]);
    expect(undone(change, files, 0)).toEqual([]);
  });

  it("restores the line of a device, or that it had none, in the words of each file", () => {
    const blockIO = {
      weightDevice: [{ ...device, weight: 200 }],
      throttleReadBpsDevice: [{ ...device, rate: 5 }],
      throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 5 }],
    };
    const network = { priorities: [{ name: "eth0", priority: 5 }] };
    const old = {
      "/blkio/blkio.bfq.weight_device": "8:0 100\n",
      "/blkio/blkio.throttle.read_bps_device": "8:16 7\n8:0 1048576\n",
      "/blkio/blkio.throttle.read_iops_device": "",
      "/net_prio/net_prio.ifpriomap": "lo 0\neth0 2\n",
    };
    expect(undone(update(1, { blockIO, network }), old)).toEqual([
      "/net_prio/net_prio.ifpriomap eth0 2",
      "/blkio/blkio.throttle.read_iops_device 8:16 0",
      "/blkio/blkio.throttle.read_bps_device 8:0 1048576",
      "/blkio/blkio.bfq.weight_device 8:0 100",
    ]);
    const rdma = { mlx5_0: { hcaHandles: 3 } };
    const now = {
      "/cg/io.max": "8:0 rbps=10 wbps=max riops=max wiops=max\n",
      "/cg/io.weight": "default 100\n",
      "/cg/rdma.max": "",
    };
    expect(undone(update(2, { blockIO: { ...blockIO, weight: 50 }, rdma }), now)).toEqual([
      "/cg/rdma.max mlx5_0 hca_handle=max hca_object=max",
      "/cg/io.max 8:16 rbps=max wbps=max riops=max wiops=max",
      "/cg/io.max 8:0 rbps=10 wbps=max riops=max wiops=max",
      "/cg/io.weight 8:0 default",
      "/cg/io.weight default 100",
    ]);
  });

  it("knows files that show more than they take, or nothing", () => {
    const v1Change = update(1, { memory: { disableOOMKiller: true } });
    const shown = "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n";
    expect(undone(v1Change, { "/memory/memory.oom_control": shown })).toEqual(["/memory/memory.oom_control 0"]);
    const change = update(2, { cpu: { cpus: "0", idle: 0, shares: 1024 } });
    expect(undone(change, { "/cg/cpuset.cpus": "\n", "/cg/cpu.idle": "1\n", "/cg/cpu.weight": "0\n" })).toEqual([
      "/cg/cpuset.cpus \n",
      "/cg/cpu.idle 1",
    ]);
  });

  it("brings device rules back by rules: on v1 the difference, on v2 another program", () => {
    const rule = { allow: true, type: "c", major: 10, minor: 229, access: "rw" };
    expect(undone(update(1, { devices: [rule], pids: { limit: 1 } }), {})).toEqual([
      "/devices/devices.deny c 10:229 rw",
    ]);
    expect(undone(update(1, { devices: [rule], pids: { limit: 1 } }), {}, 0)).toEqual([]);
    const change = update(2, { devices: [rule] });
    expect(change.undoDevices).toEqual(
      update(2, { devices: [{ allow: false, access: "rwm" }] }).steps.map((s) => s.operation),
    );
    expect(undone(change, {})).toEqual(["cgroup-device-filter"]);
  });
});
