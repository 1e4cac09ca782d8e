/** Names of Landlock's rights, in the order of their bits (include/uapi/linux/landlock.h). */
export const landlockFileRights = [
  "execute",
  "write_file",
  "read_file",
  "read_dir",
  "remove_dir",
  "remove_file",
  "make_char",
  "make_dir",
  "make_reg",
  "make_sock",
  "make_fifo",
  "make_block",
  "make_sym",
  "refer",
  "truncate",
  "ioctl_dev",
] as const;

export const landlockNetworkRights = ["bind_tcp", "connect_tcp"] as const;

export const landlockScopes = ["abstract_unix_socket", "signal"] as const;

export type LandlockFileRight = (typeof landlockFileRights)[number];
export type LandlockNetworkRight = (typeof landlockNetworkRights)[number];
export type LandlockScope = (typeof landlockScopes)[number];

/** What a container's processes may not do, but where a rule allows it. */
export interface LandlockConfig {
  readonly handledFiles: readonly LandlockFileRight[];
  readonly handledNetwork: readonly LandlockNetworkRight[];
  readonly scoped: readonly LandlockScope[];
  readonly paths: readonly { readonly access: readonly LandlockFileRight[]; readonly paths: readonly string[] }[];
  readonly ports: readonly { readonly access: readonly LandlockNetworkRight[]; readonly ports: readonly number[] }[];
  /** What the kernel does not have is left out, instead of refusing the container. */
  readonly bestEffort: boolean;
}
