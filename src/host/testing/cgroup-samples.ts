/** Files of cgroups as kernels wrote them: Linux 6.1 (v2) and 6.18 (v1), shortened. */
const byFile = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

export const v2Paths: ReadonlyMap<string, string> = new Map(
  ["", "cpu", "cpuset", "io", "memory", "hugetlb", "pids"].map((name) => [name, "/cg"]),
);

export const readV2 = byFile({
  "/cg/cpu.stat": `usage_usec 1176635
user_usec 929136
system_usec 247499
nr_periods 58
nr_throttled 57
throttled_usec 4607045
nr_bursts 0
burst_usec 0
`,
  "/cg/cpu.pressure": `some avg10=21.15 avg60=4.17 avg300=0.88 total=4118674
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
`,
  "/cg/cpu.max": "20000 100000\n",
  "/cg/cpu.max.burst": "1000\n",
  "/cg/cpu.idle": "1\n",
  "/cg/memory.stat": `anon 65536
file 5005312
kernel 651264
pgfault 346
`,
  "/cg/memory.current": "6139904\n",
  "/cg/memory.peak": "6234112\n",
  "/cg/memory.max": "104857600\n",
  "/cg/memory.swap.current": "4096\n",
  "/cg/memory.swap.max": "max\n",
  "/cg/memory.events": `low 0
high 0
max 12
oom 3
oom_kill 2
oom_group_kill 0
`,
  "/cg/io.stat": `254:0 rbytes=0 wbytes=0 rios=0 wios=1 dbytes=0 dios=0
254:16 rbytes=1024 wbytes=5000192 rios=1 wios=6 dbytes=0 dios=0 cost.usage=5
`,
  "/cg/io.pressure": `some avg10=0.00 avg60=0.00 avg300=0.00 total=730
full avg10=0.00 avg60=0.00 avg300=0.00 total=730
`,
  "/cg/pids.current": "2\n",
  "/cg/pids.max": "max\n",
  "/cg/hugetlb.2MB.current": "2097152\n",
  "/cg/hugetlb.2MB.rsvd.current": "4194304\n",
  "/cg/hugetlb.2MB.events": "max 7\n",
  "/cg/cgroup.freeze": "1\n",
});

export const v1Paths: ReadonlyMap<string, string> = new Map(
  ["cpu", "cpuacct", "cpuset", "memory", "blkio", "pids", "devices", "freezer", "hugetlb"].map((n) => [n, `/${n}`]),
);

export const readV1 = byFile({
  "/cpuacct/cpuacct.stat": "user 110324\nsystem 62794\n",
  "/cpuacct/cpuacct.usage": "1731257639777\n",
  "/cpuacct/cpuacct.usage_all": "cpu user system\n0 519912000000 298144000000\n1 569484000000 321928000000\n",
  "/cpuacct/cpuacct.usage_percpu": "831361471949 899896167828 \n",
  "/cpu/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 123456\nnr_bursts 0\nburst_time 0\n",
  "/cpu/cpu.cfs_quota_us": "-1\n",
  "/cpu/cpu.cfs_period_us": "50000\n",
  "/cpu/cpu.cfs_burst_us": "0\n",
  "/cpu/cpu.rt_runtime_us": "950000\n",
  "/cpu/cpu.rt_period_us": "1000000\n",
  "/cpuset/cpuset.cpus": "0-2,5\n",
  "/cpuset/cpuset.mems": "0\n",
  "/cpuset/cpuset.sched_load_balance": "1\n",
  "/cpuset/cpuset.sched_relax_domain_level": "-1\n",
  "/memory/memory.stat": "cache 4096\nrss 8192\nhierarchical_memory_limit 9223372036854771712\n",
  "/memory/memory.usage_in_bytes": "20480\n",
  "/memory/memory.max_usage_in_bytes": "24576\n",
  "/memory/memory.limit_in_bytes": "1048576\n",
  "/memory/memory.failcnt": "3\n",
  "/memory/memory.memsw.usage_in_bytes": "20480\n",
  "/memory/memory.memsw.max_usage_in_bytes": "24576\n",
  "/memory/memory.memsw.limit_in_bytes": "9223372036854771712\n",
  "/memory/memory.memsw.failcnt": "0\n",
  "/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
  "/blkio/blkio.bfq.io_serviced_recursive": "Total 0\n",
  "/blkio/blkio.throttle.io_serviced_recursive": "8:0 Read 124\n8:0 Write 104\n8:0 Total 228\nTotal 228\n",
  "/blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 1282048\n8:0 Write 2195456\nTotal 3477504\n",
  "/pids/pids.current": "3\n",
  "/pids/pids.max": "100\n",
  "/hugetlb/hugetlb.2MB.usage_in_bytes": "0\n",
  "/hugetlb/hugetlb.2MB.max_usage_in_bytes": "2097152\n",
  "/hugetlb/hugetlb.2MB.failcnt": "1\n",
  "/freezer/freezer.state": "FROZEN\n",
  "/freezer/freezer.self_freezing": "1\n",
});
