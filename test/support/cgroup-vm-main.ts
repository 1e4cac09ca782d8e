/** Runs the steps of the cgroup scenario on this machine's cgroup v2, and prints a line of JSON for each. */
import { Scenario } from "./cgroup-scenario.ts";

const files = [
  "memory.max",
  "memory.swap.max",
  "memory.low",
  "memory.high",
  "memory.oom.group",
  "cpu.weight",
  "cpu.max",
  "cpu.max.burst",
  "cpuset.cpus",
  "cpuset.mems",
  "pids.max",
  "io.max",
  "hugetlb.2MB.max",
  "hugetlb.2MB.rsvd.max",
];

const steps = ["limits", "life", "full", "oom", "existing", "delegation"] as const;

for (const step of steps) {
  // The second disk, on which /files is.
  await using scenario = new Scenario(files, { major: 254, minor: 16 });
  const seen = await scenario[step]().catch((error: unknown) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify({ step, seen })}\n`);
}
