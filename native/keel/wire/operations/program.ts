/** The program as a whole: its process, when it waits, and what it becomes. */
import { f, type Declared } from "../field.ts";

export const programOperations: readonly Declared[] = [
  // -- control -------------------------------------------------------------------------------------------------
  {
    number: 1,
    name: "clone",
    doc: "Create the container's process, in new namespaces",
    fields: [
      f(
        "namespaces",
        "u64",
        "CLONE_NEW* flags: pid, mnt, net, ipc, uts, user, cgroup, time. Time is entered by unshare and setns after clone; cgroup is unshared by a `join-cgroup` operation after it has joined, or by clone when there is none",
      ),
      f("cgroup", "string", "cgroup v2 directory to be born in (CLONE_INTO_CGROUP), or empty"),
    ],
  },
  {
    number: 2,
    name: "join-namespace",
    doc: "Enter one existing namespace by its file",
    fields: [
      f("kind", "u64", "the CLONE_NEW* flag it must be (setns(2) nstype)"),
      f("path", "string", "e.g. /proc/42/ns/net"),
    ],
  },
  {
    number: 3,
    name: "join-container",
    doc: "Enter namespaces of the monitor's own container, through its pidfd (exec)",
    fields: [f("namespaces", "u64", "CLONE_NEW* flags")],
  },
  {
    number: 4,
    name: "wait-start",
    doc: "Report that the container is created, and wait for `start`; after a `start-socket`, for whoever connects there",
    fields: [],
  },
  {
    number: 5,
    name: "exec",
    doc: "Become the container's program. Every descriptor but 0, 1, 2 and those that `create` preserves is closed",
    fields: [
      f(
        "arguments",
        "list<string>",
        "argv; argv[0] without a slash is looked up in PATH of `environment`, as the user set before",
      ),
      f("environment", "list<string>", "NAME=value"),
      f("init", "bool", "run it below keel as pid 1, which forwards signals and reaps (`--init`)"),
    ],
  },
  {
    number: 6,
    name: "find-executable",
    doc: "Find what `exec` will run, so that a missing command is an error of create and not of start",
    fields: [
      f("command", "string", "argv[0]"),
      f("path", "string", "value of PATH, or empty for the default"),
      f("directory", "string", "working directory that a relative command is resolved against"),
    ],
  },
  {
    number: 7,
    name: "parent-death-signal",
    doc: "Have the kernel signal this process when its monitor dies (prctl PR_SET_PDEATHSIG). Not for an orphan",
    fields: [f("signal", "u32", "signal number")],
  },
  {
    number: 8,
    name: "session",
    doc: "Start a new session (setsid)",
    fields: [],
  },
  {
    number: 9,
    name: "terminal",
    doc: "Open a terminal of the container's own devpts, make it stdin, stdout, stderr and the controlling terminal, give the master to the monitor",
    fields: [
      f("columns", "u32", "width, 0 to leave it"),
      f("rows", "u32", "height, 0 to leave it"),
      f("console", "bool", "also bind the terminal to /dev/console, by descriptor"),
    ],
  },
  {
    number: 10,
    name: "stdio-owner",
    doc: "Give the stdio pipes to the container's user, so that /dev/stdout can be opened anew",
    fields: [f("uid", "u32", "owner inside the container"), f("gid", "u32", "group inside the container")],
  },
  {
    number: 11,
    name: "start-socket",
    doc: "Before `clone`: listen on start.sock (mode 0600) in a host directory, for the `wait-start` of a container whose monitor does not stay. Whoever is connected first starts it: it is answered by `done` at once, then by `failed` if an operation fails, exec included, or by the connection's end when exec has succeeded. All others see their connection end without a word",
    fields: [
      f(
        "directory",
        "string",
        "absolute host directory. The socket is not removed from it: that is left to who starts it",
      ),
    ],
  },
  {
    number: 12,
    name: "hook",
    doc: "Run a program outside of the container's own, and wait for its end: a hook of the runtime-spec. It fails when its status is not 0. It has no descriptor but 0, 1 and 2, and its stdout goes nowhere",
    fields: [
      f(
        "parent",
        "bool",
        "by the parent, with the host's namespaces, as they were before the first operation; otherwise with the container's",
      ),
      f("path", "string", "absolute path of the program"),
      f("arguments", "list<string>", "argv; empty for the path alone"),
      f("environment", "list<string>", "NAME=value, nothing is added"),
      f("directory", "string", "working directory, or empty to leave it"),
      f("timeout", "u32", "milliseconds until it and its process group are killed, 0 for none"),
      f("before", "string", "its stdin: this, the host's pid of the container's process in decimal, and `after`"),
      f("after", "string", "see `before`"),
    ],
  },
  {
    number: 13,
    name: "seccomp-listener",
    doc: "Before `clone`: connect to the agent that gets the descriptor of a `seccomp` operation with SECCOMP_FILTER_FLAG_NEW_LISTENER. It is sent (SCM_RIGHTS) with `before`, the host's pid of the container's process in decimal, and `after`; or with `before`, pid, `between`, pid, `after`",
    fields: [
      f("path", "string", "host path of a unix stream socket"),
      f("before", "string", "beginning of the runtime-spec's containerProcessState, in JSON"),
      f("between", "string", "what stands between two places for the pid; empty when there is one only"),
      f("after", "string", "its end"),
      f("pidfd", "bool", "send a pidfd of the container's process as a second descriptor"),
    ],
  },
];
