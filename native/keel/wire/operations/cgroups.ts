/** Control groups and their limits. */
import { f, type Declared } from "../field.ts";

export const cgroupOperations: readonly Declared[] = [
  // -- cgroups -------------------------------------------------------------------------------------------------
  {
    number: 20,
    name: "cgroup-create",
    doc: "Create a cgroup directory with its parents",
    fields: [
      f("path", "string", "absolute directory below a cgroup mount"),
      f("mount", "string", "the cgroup mount it is below"),
      f("cpuset", "bool", "v1 cpuset: fill empty cpuset.cpus and cpuset.mems from the parent on each level"),
      f(
        "controllers",
        "list<string>",
        "v2: controllers to enable in cgroup.subtree_control of each parent, those that the kernel has and lets be enabled; empty on v1",
      ),
    ],
  },
  {
    number: 21,
    name: "join-cgroup",
    doc: "Move this process into cgroups, by writing 0 to each tasks (v1) or cgroup.procs (v2) file. Their files are opened before `clone`. Then unshare the cgroup namespace if asked",
    fields: [
      f("paths", "list<string>", "cgroup directories"),
      f("unshare", "bool", "then enter a new cgroup namespace"),
    ],
  },
  {
    number: 22,
    name: "write-file",
    doc: "Write a kernel file of the host's side (cgroup, /proc) in one write(2)",
    fields: [
      f("path", "string", "absolute path, opened without following a final symbolic link and never created"),
      f("data", "string", "what to write"),
      f(
        "tolerate",
        "bool",
        "a missing file, or a value that this host may not set (ENOENT, EPERM, EACCES), is no failure",
      ),
    ],
  },
  {
    number: 23,
    name: "cgroup-device-filter",
    doc: "Attach an eBPF device program to a cgroup v2 directory (BPF_CGROUP_DEVICE), in place of those attached before",
    fields: [f("path", "string", "cgroup directory"), f("program", "bytes", "struct bpf_insn array, 8 bytes each")],
  },
  {
    number: 24,
    name: "cgroup-kill",
    doc: "Kill every process of a cgroup and its children (cgroup.kill on v2; signalled until empty on v1). A missing directory is no failure",
    fields: [f("path", "string", "cgroup directory")],
  },
  {
    number: 25,
    name: "cgroup-remove",
    doc: "Remove a cgroup directory and its children. Waits briefly while the kernel still counts dying tasks. A missing directory is no failure",
    fields: [f("path", "string", "cgroup directory")],
  },
  {
    number: 26,
    name: "freeze",
    doc: "Stop every process of a cgroup and its children, or let them go on (freezer.state on v1, cgroup.freeze on v2). Waits up to 10 s until all are stopped; if they are not by then (ETIMEDOUT), they go on",
    fields: [f("path", "string", "cgroup directory; on v1 of the freezer hierarchy"), f("frozen", "bool", "stop them")],
  },
  {
    number: 27,
    name: "write-first",
    doc: "Write the first of some files of a cgroup that this kernel has. Fails (ENOENT) when it has none",
    fields: [
      f("directory", "string", "cgroup directory"),
      f("choices", "list<FileChoice>", "files in order of preference, each with what to write to it"),
    ],
  },
  {
    number: 28,
    name: "cgroup-owner",
    doc: "Give a cgroup v2 directory, and those of its files that a delegate may write, to a user. A missing file is no failure",
    fields: [
      f("path", "string", "cgroup directory"),
      f("uid", "u32", "owner, on the host"),
      f("gid", "u32", "group, on the host; 2^32-1 to leave it"),
      f("files", "list<string>", "names of files in it"),
    ],
  },
];
