/** What a client asks of `keel serve` and of a monitor. */
import { f, type Message } from "../field.ts";

export const requests: readonly Message[] = [
  // -- to keel serve ---------------------------------------------------------------------------------------------
  {
    number: 1,
    name: "execute",
    to: "keel",
    doc: "Run a program to its end in a forked process; answered by `executed` or `failed`",
    fields: [f("program", "operations", "what to run")],
  },
  {
    number: 2,
    name: "create",
    to: "keel",
    doc: "Start a monitor, and run a container's program up to `wait-start`, or to its exec when it has no `wait-start`; answered by `created` or `failed`. After a failure nothing is left but cgroups that the program made (the exit program is run for them)",
    fields: [
      f(
        "stateDirectory",
        "string",
        "existing host directory for monitor.sock, pid, and exit; empty for an orphan that needs no pid file",
      ),
      f("log", "string", "log file to append to, in CRI's format; empty for none"),
      f("terminal", "bool", "the program has a `terminal` operation: output is one stream"),
      f("openStdin", "bool", "give the process an open stdin; /dev/null otherwise"),
      f("stdinOnce", "bool", "close stdin when the first attached client's input ends"),
      f("inheritStdio", "bool", "the process uses keel's own stdin, stdout and stderr as they are (no log, no attach)"),
      f(
        "oomFile",
        "string",
        "v1 memory.oom_control or v2 memory.events of its cgroup, read at exit for oom_kill; empty for none",
      ),
      f("program", "operations", "the container"),
      f(
        "exitProgram",
        "operations",
        "run by the monitor after the container's exit, before anybody is told; failures are ignored",
      ),
      f(
        "exitCommand",
        "list<string>",
        "program and arguments started by the monitor after all is done, with /dev/null as stdio, when no client was told of the end by `exited`; empty for none",
      ),
      f(
        "orphan",
        "bool",
        "the monitor does not stay: it ends when the container is created, and leaves it to the nearest subreaper. There is no monitor.sock, log, or exit program after that, and stdio is keel's own unless there is a terminal",
      ),
      f(
        "consoleSocket",
        "string",
        "orphan only: host path of a unix stream socket that receives the terminal's master (SCM_RIGHTS, with the terminal's name inside); empty for none",
      ),
      f(
        "pidfdSocket",
        "string",
        "host path of a unix stream socket that receives a pidfd of the container's process (SCM_RIGHTS); empty for none",
      ),
      f("preserve", "u32", "how many of the descriptors that keel was given the program gets as 3, 4, …"),
      f("container", "u32", "pid of a running container that `join-container` enters; 0 for none"),
      f(
        "containerStart",
        "u64",
        "its start time in clock ticks (field 22 of /proc/PID/stat), by which it is told from others",
      ),
      f(
        "journal",
        "string",
        "file that records are appended to, each in one write(2), made with mode 0600 when missing; empty for none",
      ),
      f("startRecord", "Record", "the container's program executes: `SECONDS NANOSECONDS`, the time"),
      f("exitRecord", "Record", "the container has ended: what the file `exit` says, without its newline"),
      f(
        "oomRecord",
        "Record",
        "kills for want of memory in its cgroup: `COUNT SECONDS NANOSECONDS`, how many since the record before, and the time",
      ),
      f(
        "logMaxSize",
        "u64",
        "bytes beyond which the log is renamed to LOG.1, LOG.1 to LOG.2 and so on, and a new one begun; 0 for no limit",
      ),
      f("logMaxFiles", "u32", "how many files of the log there may be; what is older is removed"),
    ],
  },
  // -- to a monitor ------------------------------------------------------------------------------------------------
  {
    number: 10,
    name: "start",
    to: "keel",
    doc: "Let the created container exec; answered by `done`, or `failed` when exec fails",
    fields: [],
  },
  {
    number: 11,
    name: "attach",
    to: "keel",
    doc: "Send output from now on as `output`; `input`, `close-input` and `resize` with this request id go to the process. Answered by `done`, and `exited` at its end after all output",
    fields: [f("stdin", "bool", "this client sends input"), f("output", "bool", "this client wants output")],
  },
  {
    number: 12,
    name: "input",
    to: "keel",
    doc: "Bytes for stdin of what this request is attached to. Not answered",
    fields: [f("data", "bytes", "at most 64 KiB")],
  },
  {
    number: 13,
    name: "close-input",
    to: "keel",
    doc: "End of stdin of what this request is attached to. Not answered",
    fields: [],
  },
  {
    number: 14,
    name: "resize",
    to: "keel",
    doc: "Window size for the terminal of what this request is attached to, or of the container. Not answered",
    fields: [f("columns", "u32", "width"), f("rows", "u32", "height")],
  },
  {
    number: 15,
    name: "signal",
    to: "keel",
    doc: "Signal the container's first process through its pidfd, or (process not 0) one exec session; answered by `done` or `failed` (ESRCH when it has ended)",
    fields: [
      f("signal", "u32", "signal number"),
      f("process", "u32", "pid of an exec session in the host's pid namespace, or 0"),
    ],
  },
  {
    number: 16,
    name: "wait",
    to: "keel",
    doc: "Answered by `exited` when the container has ended and its exit program has run",
    fields: [],
  },
  { number: 17, name: "status", to: "keel", doc: "Answered by `status-is`", fields: [] },
  {
    number: 18,
    name: "exec",
    to: "keel",
    doc: "Start another process in the container, attached to this request; answered by `exec-started` or `failed`, then `output` and `exited`. The process outlives the connection",
    fields: [
      f("terminal", "bool", "the program has a `terminal` operation"),
      f("openStdin", "bool", "this client sends input; /dev/null otherwise"),
      f("output", "bool", "this client wants output; otherwise it is thrown away (exec -d). `exited` comes either way"),
      f("program", "operations", "with join-container, clone, …, exec"),
    ],
  },
  {
    number: 19,
    name: "reopen-log",
    to: "keel",
    doc: "Go on in a new log file at the same path, after the old one was renamed; answered by `done`, or by `failed`, and the old one is kept then. Nothing is lost or written twice",
    fields: [],
  },
];
