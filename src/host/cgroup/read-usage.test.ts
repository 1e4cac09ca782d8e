import { describe, expect, it } from "vitest";
import { readGroupUsage } from "./read-usage.ts";

const from = (files: Readonly<Record<string, string>>) => (path: string) => files[path];
const psi = "some avg10=1.50 avg60=0.25 avg300=0.00 total=42\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=7\n";
const pressure = {
  some: { avg10: 1.5, avg60: 0.25, avg300: 0, total: 42n },
  full: { avg10: 0.5, avg60: 0, avg300: 0, total: 7n },
};

describe("readGroupUsage()", () => {
  it("reads v1, with all below the group and swap apart from memory", () => {
    const files = {
      "/c/cpuacct.usage": "5000\n",
      "/m/memory.usage_in_bytes": "1000\n",
      "/m/memory.limit_in_bytes": "4096\n",
      "/m/memory.memsw.usage_in_bytes": "1200\n",
      "/m/memory.memsw.limit_in_bytes": "9223372036854771712\n",
      "/m/memory.stat": "rss 1\ntotal_rss 700\ntotal_inactive_file 300\ntotal_pgfault 8\ntotal_pgmajfault 2\n",
      "/p/pids.current": "3\n",
    };
    const paths = new Map([
      ["cpuacct", "/c"],
      ["memory", "/m"],
      ["pids", "/p"],
    ]);
    expect(readGroupUsage(paths, from(files))).toStrictEqual({
      cpu: 5000n,
      memory: { usage: 1000n, limit: 4096n, workingSet: 700n, rss: 700n, pageFaults: 8n, majorPageFaults: 2n },
      swap: { usage: 200n, limit: undefined },
      processes: 3n,
      pressure: { cpu: undefined, memory: undefined, io: undefined },
    });
  });

  it("reads v2 with pressure; a limit that is none is not there", () => {
    const files = {
      "/g/cpu.stat": "usage_usec 5\nuser_usec 3\n",
      "/g/memory.current": "1000\n",
      "/g/memory.max": "max\n",
      "/g/memory.swap.current": "64\n",
      "/g/memory.swap.max": "128\n",
      "/g/memory.stat": "anon 700\ninactive_file 2000\npgfault 8\npgmajfault 2\n",
      "/g/pids.current": "3\n",
      "/g/cpu.pressure": psi,
      "/g/memory.pressure": psi,
      "/g/io.pressure": psi,
    };
    const paths = new Map(["", "cpu", "memory", "pids", "io"].map((name) => [name, "/g"]));
    expect(readGroupUsage(paths, from(files))).toStrictEqual({
      cpu: 5000n,
      memory: { usage: 1000n, limit: undefined, workingSet: 0n, rss: 700n, pageFaults: 8n, majorPageFaults: 2n },
      swap: { usage: 64n, limit: 128n },
      processes: 3n,
      pressure: { cpu: pressure, memory: pressure, io: pressure },
    });
  });

  it("has nothing of a group that is gone", () => {
    expect(readGroupUsage(new Map([["", "/g"]]), from({}))).toStrictEqual({
      cpu: undefined,
      memory: undefined,
      swap: undefined,
      processes: undefined,
      pressure: { cpu: undefined, memory: undefined, io: undefined },
    });
  });
});
