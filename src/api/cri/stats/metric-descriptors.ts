/**
 * Names and labels of cAdvisor's metrics for containers (google/cadvisor, docs/storage/prometheus.md), which a kubelet serves at
 * /metrics/cadvisor by these. Values are whole numbers: seconds are cut.
 */
const base = ["id", "image", "namespace", "pod", "container"] as const;

interface Described {
  readonly name: string;
  readonly help: string;
  /** Beside the common ones. */
  readonly labels?: readonly string[];
  readonly counter?: true;
}

const device = ["device"] as const;
const network = ["interface"] as const;

const described = [
  { name: "container_cpu_user_seconds_total", help: "CPU time in user mode, in seconds", counter: true },
  { name: "container_cpu_system_seconds_total", help: "CPU time in the kernel, in seconds", counter: true },
  { name: "container_cpu_usage_seconds_total", help: "CPU time, in seconds", labels: ["cpu"], counter: true },
  { name: "container_cpu_cfs_periods_total", help: "Periods in which a CPU limit was enforced", counter: true },
  { name: "container_cpu_cfs_throttled_periods_total", help: "Periods in which it was throttled", counter: true },
  { name: "container_cpu_cfs_throttled_seconds_total", help: "Time that it was throttled, in seconds", counter: true },
  { name: "container_memory_cache", help: "Page cache, in bytes" },
  { name: "container_memory_rss", help: "Memory of no file, in bytes" },
  { name: "container_memory_kernel_usage", help: "Memory of the kernel, in bytes" },
  { name: "container_memory_mapped_file", help: "Memory-mapped files, in bytes" },
  { name: "container_memory_swap", help: "Swap, in bytes" },
  { name: "container_memory_failcnt", help: "How often the memory limit was hit", counter: true },
  { name: "container_memory_usage_bytes", help: "All memory, in bytes" },
  { name: "container_memory_max_usage_bytes", help: "Most memory that was ever in use, in bytes" },
  { name: "container_memory_working_set_bytes", help: "Memory without what could be given back at once, in bytes" },
  { name: "container_memory_total_active_file_bytes", help: "File pages in active use, in bytes" },
  { name: "container_memory_total_inactive_file_bytes", help: "File pages that are not in active use, in bytes" },
  {
    name: "container_memory_failures_total",
    help: "Page faults, of the container or of all below it",
    labels: ["failure_type", "scope"],
    counter: true,
  },
  { name: "container_oom_events_total", help: "Processes killed for want of memory", counter: true },
  { name: "container_network_receive_bytes_total", help: "Bytes received", labels: network, counter: true },
  { name: "container_network_receive_packets_total", help: "Packets received", labels: network, counter: true },
  {
    name: "container_network_receive_packets_dropped_total",
    help: "Packets dropped while receiving",
    labels: network,
    counter: true,
  },
  { name: "container_network_receive_errors_total", help: "Errors while receiving", labels: network, counter: true },
  { name: "container_network_transmit_bytes_total", help: "Bytes sent", labels: network, counter: true },
  { name: "container_network_transmit_packets_total", help: "Packets sent", labels: network, counter: true },
  {
    name: "container_network_transmit_packets_dropped_total",
    help: "Packets dropped while sending",
    labels: network,
    counter: true,
  },
  { name: "container_network_transmit_errors_total", help: "Errors while sending", labels: network, counter: true },
  { name: "container_fs_inodes_free", help: "Free inodes of its file system", labels: device },
  { name: "container_fs_inodes_total", help: "Inodes of its file system", labels: device },
  { name: "container_fs_limit_bytes", help: "Size of its file system, in bytes", labels: device },
  { name: "container_fs_usage_bytes", help: "What it has written, in bytes", labels: device },
  { name: "container_fs_reads_bytes_total", help: "Bytes read", labels: device, counter: true },
  { name: "container_fs_reads_total", help: "Reads", labels: device, counter: true },
  { name: "container_fs_writes_bytes_total", help: "Bytes written", labels: device, counter: true },
  { name: "container_fs_writes_total", help: "Writes", labels: device, counter: true },
  {
    name: "container_blkio_device_usage_total",
    help: "Bytes by block device and operation",
    labels: ["device", "major", "minor", "operation"],
    counter: true,
  },
  { name: "container_hugetlb_usage_bytes", help: "Huge pages in use, in bytes", labels: ["pagesize"] },
  { name: "container_hugetlb_max_usage_bytes", help: "Most that were ever in use, in bytes", labels: ["pagesize"] },
  { name: "container_processes", help: "Processes" },
  { name: "container_threads", help: "Threads" },
  { name: "container_threads_max", help: "Most threads that it may have, 0 for no limit" },
  { name: "container_file_descriptors", help: "Open file descriptors" },
  { name: "container_sockets", help: "Open sockets" },
  { name: "container_ulimits_soft", help: "Soft limits of its first process", labels: ["ulimit"] },
  { name: "container_last_seen", help: "When this was told, in seconds since the epoch" },
  { name: "container_start_time_seconds", help: "When it started, in seconds since the epoch" },
  { name: "container_spec_cpu_period", help: "Period of its CPU quota, in microseconds" },
  { name: "container_spec_cpu_quota", help: "CPU time in each period, in microseconds" },
  { name: "container_spec_cpu_shares", help: "Its weight beside others" },
  { name: "container_spec_memory_limit_bytes", help: "Memory limit, in bytes; 0 for none" },
  { name: "container_spec_memory_reservation_limit_bytes", help: "Memory reservation, in bytes; 0 for none" },
  { name: "container_spec_memory_swap_limit_bytes", help: "Limit of memory and swap, in bytes; 0 for none" },
  { name: "container_pressure_cpu_stalled_seconds_total", help: "Time that all waited for CPU", counter: true },
  { name: "container_pressure_cpu_waiting_seconds_total", help: "Time that some waited for CPU", counter: true },
  { name: "container_pressure_memory_stalled_seconds_total", help: "Time that all waited for memory", counter: true },
  { name: "container_pressure_memory_waiting_seconds_total", help: "Time that some waited for memory", counter: true },
  { name: "container_pressure_io_stalled_seconds_total", help: "Time that all waited for I/O", counter: true },
  { name: "container_pressure_io_waiting_seconds_total", help: "Time that some waited for I/O", counter: true },
] as const satisfies readonly Described[];

export type MetricName = (typeof described)[number]["name"];

const byName: ReadonlyMap<string, Described> = new Map(described.map((one) => [one.name, one]));

export const isCounter = (name: MetricName): boolean => byName.get(name)?.counter === true;

export const descriptors: readonly { readonly name: string; readonly help: string; readonly labelKeys: string[] }[] =
  described.map(({ name, help, ...more }: Described) => ({ name, help, labelKeys: [...base, ...(more.labels ?? [])] }));
