/**
 * Every setting of the daemon, once: the configuration file's defaults, its checks and the flag `--set` are made from here.
 */

export interface Setting {
  /** Path in the file, e.g. `log.level`. */
  readonly key: string;
  readonly type: "string" | "integer" | "choice" | "boolean";
  readonly default: string | number | boolean;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Takes effect at a reload (SIGHUP), and not at the next start only. */
  readonly reloads?: boolean;
  /** Lines of the default file. */
  readonly help: readonly string[];
}

export const settings = [
  {
    key: "root",
    type: "string",
    default: "",
    help: ["Where images and containers are kept; empty for SAMPAN_ROOT, or /var/lib/sampan."],
  },
  {
    key: "state",
    type: "string",
    default: "",
    help: ["Where the state of running containers is kept; empty for SAMPAN_STATE, or /run/sampan."],
  },
  {
    key: "cgroup-parent",
    type: "string",
    default: "",
    help: ["Path of the containers' cgroups in each hierarchy; empty for SAMPAN_CGROUP_PARENT, or /sampan."],
  },
  {
    key: "cni.configurations",
    type: "string",
    default: "",
    help: ["Directory of CNI configurations; empty for SAMPAN_CNI_CONFIG, or /etc/cni/net.d."],
  },
  {
    key: "cni.plugins",
    type: "string",
    default: "",
    help: ["Directories of CNI plugins, with : between; empty for CNI_PATH, or /opt/cni/bin:/usr/lib/cni."],
  },
  {
    key: "cni.timeout",
    type: "integer",
    default: 60,
    min: 1,
    max: 3600,
    help: ["Seconds that one call of a plugin may take."],
  },
  {
    key: "socket.path",
    type: "string",
    default: "",
    help: ["Unix socket of all APIs; empty for sampan.sock in the state directory. Its mode is 0600."],
  },
  {
    key: "socket.group",
    type: "string",
    default: "",
    help: [
      "Group, by name or number, that may use the socket too: its mode is 0660 then.",
      "Without [[allow]] below, whoever may use it may do all that root may.",
    ],
  },
  {
    key: "tcp.address",
    type: "string",
    default: "",
    help: ["HOST:PORT to serve at besides, with TLS on both sides; empty for none."],
  },
  { key: "tcp.certificate", type: "string", default: "", help: ["PEM files: the daemon's certificate and its key,"] },
  { key: "tcp.key", type: "string", default: "", help: [] },
  {
    key: "tcp.client-ca",
    type: "string",
    default: "",
    help: ["and the authorities that sign those of its clients; a client without one is let go."],
  },
  {
    key: "log.level",
    type: "choice",
    default: "info",
    choices: ["trace", "debug", "info", "warn", "error", "silent"],
    reloads: true,
    help: ["At debug, each call is logged, and who made it."],
  },
  {
    key: "log.format",
    type: "choice",
    default: "json",
    choices: ["json", "text"],
    help: ["One JSON object a line, or text; to the standard error."],
  },
  {
    key: "metrics.address",
    type: "string",
    default: "",
    help: [
      "HOST:PORT of /metrics (Prometheus), /healthz and /readyz without TLS; empty for none.",
      "The sockets above have them in any case.",
    ],
  },
  {
    key: "limits.message",
    type: "integer",
    default: 16 * 1024 * 1024,
    min: 64 * 1024,
    max: 1024 * 1024 * 1024,
    help: ["Bytes of one message of a client."],
  },
  {
    key: "limits.connections",
    type: "integer",
    default: 1024,
    min: 1,
    max: 1_000_000,
    reloads: true,
    help: ["Connections at once; more are closed at once."],
  },
  {
    key: "limits.streams",
    type: "integer",
    default: 256,
    min: 1,
    max: 100_000,
    help: ["Calls at once over one connection."],
  },
  {
    key: "limits.grace",
    type: "integer",
    default: 10,
    min: 0,
    max: 3600,
    reloads: true,
    help: ["Seconds that calls in progress have to end when the daemon does. Containers run on in any case."],
  },
  {
    key: "cri.enabled",
    type: "boolean",
    default: true,
    help: ["Whether a kubelet or crictl is served: the CRI (runtime.v1), by gRPC and as JSON over HTTP."],
  },
  {
    key: "cri.socket",
    type: "string",
    default: "",
    help: ["Unix socket of the CRI, for root alone; empty for cri.sock in the state directory."],
  },
  {
    key: "cri.namespace",
    type: "string",
    default: "k8s.io",
    help: ["Namespace of the CRI's pods, containers and images: sampan --namespace k8s.io ps."],
  },
  {
    key: "cri.network",
    type: "choice",
    default: "auto",
    choices: ["auto", "bridge", "cni"],
    help: [
      "Network of pods: CNI's where there is a configuration of it, and the built-in bridge otherwise; or one of both.",
    ],
  },
  {
    key: "cri.cgroup-driver",
    type: "choice",
    default: "cgroupfs",
    choices: ["cgroupfs", "systemd"],
    help: [
      "What a kubelet is told to use: how it names the cgroups that pods are put in. Both kinds of names are understood.",
    ],
  },
  {
    key: "cri.streaming-address",
    type: "string",
    default: "127.0.0.1:0",
    help: ["HOST:PORT that clients of exec, attach and port-forward are sent to; port 0 takes a free one."],
  },
  {
    key: "cri.streaming-advertise",
    type: "string",
    default: "",
    help: ["HOST:PORT by which they reach it, where that is another one."],
  },
  {
    key: "cri.streaming-certificate",
    type: "string",
    default: "",
    help: ["PEM files: a certificate and its key, with which streams are served by TLS,"],
  },
  { key: "cri.streaming-key", type: "string", default: "", help: [] },
  {
    key: "cri.streaming-client-ca",
    type: "string",
    default: "",
    help: ["and the authorities of which clients need a certificate then; empty for none."],
  },
] as const satisfies readonly Setting[];

/** The settings' types by their keys. */
export type SettingKey = (typeof settings)[number]["key"];
export type SettingValues = {
  readonly [S in (typeof settings)[number] as S["key"]]: S["type"] extends "integer"
    ? number
    : S["type"] extends "boolean"
      ? boolean
      : string;
};

const policyHelp = `
# Who may do what. Without any, whoever may use a socket may do everything; with some, a client may do what one of those
# that it fits allows, and root on this host everything.
#
# [[allow]]
# uid = 1000                  # of a client at the unix socket; or gid = 1000; or certificate = "ci" (its common name)
# calls = ["read"]            # read, containers, images, all; or names such as "sampan.v1.Containers/Logs"
# namespaces = ["dev"]        # all when left out
# binds = ["/srv/data"]       # host directories whose content it may mount; none when left out
# privileged = false          # whether it may have privileged containers, devices, host namespaces, no seccomp
`;

/** A file with every setting at its default, commented out. */
export function defaultConfig(): string {
  const lines = ["# Configuration of sampan daemon. What is commented out is the default."];
  let section = "";
  for (const setting of settings as readonly Setting[]) {
    const dot = setting.key.lastIndexOf(".");
    const name = setting.key.slice(dot + 1);
    const own = dot < 0 ? "" : setting.key.slice(0, dot);
    if (own !== section) {
      section = own;
      lines.push("", `[${section}]`);
    } else if (setting.help.length > 0) lines.push("");
    lines.push(...setting.help.map((text) => `# ${text}`));
    if (setting.choices !== undefined) lines.push(`# One of ${setting.choices.join(", ")}.`);
    lines.push(`# ${name} = ${JSON.stringify(setting.default)}`);
  }
  return `${lines.join("\n")}\n${policyHelp}`;
}
