/** A configuration for Debian's containerd in a test host, without what is of no use there. */

/** Of these, `opt` would make /opt/containerd, and the others look for filesystems that are not here. */
const disabled = ["internal.v1.opt", "snapshotter.v1.aufs", "snapshotter.v1.btrfs", "snapshotter.v1.zfs"];

/** What Kubernetes' interface needs to know, where it is wanted. */
export interface ContainerdCri {
  /** The program in runc's place, and where it keeps its state. */
  readonly runtime: string;
  readonly runtimeRoot: string;
  /** Of the process that stands for a pod; it is not to end. */
  readonly sandboxImage: string;
  /** With configurations for CNI. */
  readonly networks: string;
}

const criConfig = ({ runtime, runtimeRoot, sandboxImage, networks }: ContainerdCri): string => `
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${sandboxImage}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${networks}"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "sampan"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sampan]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sampan.options]
  BinaryName = "${runtime}"
  Root = "${runtimeRoot}"
`;

/** @param directory for its images; what is of the running system only is below /run */
export function containerdConfig(directory: string, socket: string, cri?: ContainerdCri): string {
  const plugins = [...disabled, ...(cri === undefined ? ["grpc.v1.cri"] : [])];
  return `version = 2
root = "${directory}/root"
state = "/run/containerd"
disabled_plugins = [${plugins.map((plugin) => `"io.containerd.${plugin}"`).join(", ")}]
[grpc]
  address = "${socket}"
[debug]
  level = "error"
${cri === undefined ? "" : criConfig(cri)}`;
}
