/** A configuration for Debian's containerd in a test host, without what is of no use there. */

/** Of these, `opt` would make /opt/containerd, and the others look for filesystems that are not here, or for Kubernetes. */
const disabled = [
  "grpc.v1.cri",
  "internal.v1.opt",
  "snapshotter.v1.aufs",
  "snapshotter.v1.btrfs",
  "snapshotter.v1.zfs",
];

/** @param directory for its images; what is of the running system only is below /run */
export const containerdConfig = (directory: string, socket: string): string => `version = 2
root = "${directory}/root"
state = "/run/containerd"
disabled_plugins = [${disabled.map((plugin) => `"io.containerd.${plugin}"`).join(", ")}]
[grpc]
  address = "${socket}"
[debug]
  level = "error"
`;
