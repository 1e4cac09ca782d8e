/** The host's side: networks, and what monitors and the engine need. */
import { f, type Declared } from "../field.ts";

export const hostOperations: readonly Declared[] = [
  // -- the network -----------------------------------------------------------------------------------------------
  {
    number: 100,
    name: "netlink",
    doc: "Send netlink messages and read the answers, which are given back without acknowledgements (nothing when there are none). Each message is sent when the one before has succeeded; netfilter's batches at once. The first refusal is the failure, its detail `message N`, N being the sequence number, and `: ` with the kernel's words where it has any. EINTR when what a dump lists changed meanwhile",
    fields: [
      f("protocol", "u32", "0 NETLINK_ROUTE, 4 NETLINK_SOCK_DIAG, 12 NETLINK_NETFILTER"),
      f("messages", "bytes", "struct nlmsghdr and payload of each, with NLM_F_ACK where its answer is waited for"),
      f("networkNamespace", "string", "file of the network namespace to do it in, or empty for the own one"),
      f(
        "descriptors",
        "list<string>",
        "files of namespaces that messages name by descriptor: the first is open as 200, the next as 201, at most 8",
      ),
      f("purpose", "string", "what the messages are to do, in words that continue `Cannot`"),
    ],
  },
  {
    number: 101,
    name: "forward-port",
    doc: "Listen on a port of the host and pass all that comes to another address, in a process of its own that ends with the container's process, or when its file is removed. It listens when this is done",
    fields: [
      f("protocol", "u32", "6 TCP, 17 UDP"),
      f("address", "string", "IPv4 or IPv6 address to listen on"),
      f("port", "u32", "1 to 65535"),
      f("target", "string", "IPv4 or IPv6 address, of any family"),
      f("targetPort", "u32", "1 to 65535"),
      f("pid", "u32", "the container's process"),
      f("file", "string", "absolute path of a file to make; its removal ends the forwarding"),
    ],
  },
  {
    number: 130,
    name: "forward-namespace",
    doc: "Listen on a unix socket and connect whoever comes there to TCP ports of the loopback interface in a network namespace, in a process of its own that ends with another one, or when the socket's file is removed. A client sends the port (2 bytes, big endian) and gets one byte: 0, or errno. It listens when this is done",
    fields: [
      f("directory", "string", "absolute, existing directory of the socket"),
      f("name", "string", "the socket's; only its owner may connect"),
      f("network", "string", "file of the network namespace, or empty for the own one"),
      f("pid", "u32", "the process that it ends with"),
    ],
  },
  // -- the life of containers ------------------------------------------------------------------------------------
  {
    number: 110,
    name: "memory-file",
    doc: "Mount a read-only file on a path of the root that is in memory only: a tmpfs of its own, which holds nothing else",
    fields: [
      f("path", "string", "path in the root; created as an empty file when missing"),
      f("data", "bytes", "its content"),
      f("mode", "u32", "permission bits"),
      f("uid", "u32", "owner"),
      f("gid", "u32", "group"),
    ],
  },
  {
    number: 111,
    name: "pin-namespaces",
    doc: "Make namespaces that live without a container's process, each held by a file of its name (`user`, `pid`, `net`, `ipc`, `uts`), for `join-namespace`; the network has its loopback interface up. `unmount` lets go of one. A pid namespace has a first process, which reaps and does nothing else: it stays where this process is (cgroups), without its files, and ends by SIGKILL; the file `holder` there says `PID START` of it. When it fails, files that were made stay",
    fields: [
      f(
        "namespaces",
        "u64",
        "CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC and CLONE_NEWUTS, those that are wanted",
      ),
      f("directory", "string", "absolute, existing host directory, in which none of the files is"),
      f("hostname", "string", "host name of the uts namespace, or empty"),
      f("uids", "list<IdMap>", "user ids of the user namespace, which owns the others; empty without one"),
      f("gids", "list<IdMap>", "likewise group ids"),
      f("sysctls", "list<Setting>", "parameters of these namespaces"),
    ],
  },
  // -- trees of files --------------------------------------------------------------------------------------------
  {
    number: 120,
    name: "root-alone",
    doc: "Make the root directory a copy of its mount alone, which is attached nowhere: what is mounted on it is not seen, and what it covers is",
    fields: [f("readOnly", "bool", "nothing can be changed through it")],
  },
  {
    number: 121,
    name: "mount-layers",
    doc: "Mount read-only layers on top of each other at a path in the root, or only a directory or file of them",
    fields: [
      f("lower", "list<string>", "absolute host directories, top first"),
      f("subpath", "string", "path in the layers' root of what is mounted, resolved in there; empty for all"),
      f("target", "string", "path in the root; created as a directory or an empty file when missing"),
      f("attributes", "u64", "MOUNT_ATTR_* to set on it; it is read-only in any case"),
    ],
  },
  // -- a service -------------------------------------------------------------------------------------------------
  {
    number: 125,
    name: "peer-credentials",
    doc: "Give back `PID UID GID` of the process that connected to a unix socket, as they were then (SO_PEERCRED)",
    fields: [
      f("pid", "u32", "process that has accepted the connection"),
      f("descriptor", "u32", "the connection's descriptor there"),
    ],
  },
  {
    number: 126,
    name: "notify-service",
    doc: "Tell the service manager how a service is: one datagram (sd_notify(3))",
    fields: [
      f("path", "string", "its socket, NOTIFY_SOCKET: absolute, or abstract with `@` first"),
      f("pid", "u32", "main process of the service"),
      f("text", "string", "lines of NAME=VALUE"),
    ],
  },
  // -- programs of the host -----------------------------------------------------------------------------------------
  {
    number: 155,
    name: "helper",
    doc: "Run a program of the host and wait for its end, however it ends. It is given back as `u32` wait status (wait(2)), `u32` size of its stdout, its stdout, and the last 4 KiB of its stderr. It has no descriptor but 0, 1 and 2, and `/` for working directory. ETIMEDOUT when it takes too long, EFBIG when it says more than `limit`: then it was killed with its process group. It runs on when the client goes",
    fields: [
      f("path", "string", "absolute path of the program"),
      f("arguments", "list<string>", "argv; empty for the path alone"),
      f("environment", "list<string>", "NAME=value, nothing is added"),
      f("input", "bytes", "its stdin"),
      f("timeout", "u32", "milliseconds, waiting for the lock included; 0 for none"),
      f("limit", "u32", "bytes of stdout, at most 1000000"),
      f("succeed", "bool", "fail with ECANCELED when its status is not 0"),
      f(
        "lock",
        "string",
        "absolute path of a file that only one helper has at a time; made when missing. Empty for none",
      ),
    ],
  },
];
