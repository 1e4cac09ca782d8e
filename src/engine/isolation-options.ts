/** Options about what a container shares with the host and with others, and what its processes may do. */

/** Ids of the host that ids of files or of a container stand for. */
export interface IdMapOption {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

export interface IsolationOptions {
  /** Its processes: `private` (default), `host`, or `container:NAME-OR-ID` of one that runs when this one starts. */
  readonly pid?: string;
  /** Its semaphores, message queues and shared memory: `private` (default) or `host`. */
  readonly ipc?: string;
  /** Its host name: `private` (default) or `host`. */
  readonly uts?: string;
  /** Names of capabilities that its processes keep also without being root. */
  readonly capAmbient?: readonly string[];
  /**
   * Groups of the user besides the primary one and `groupAdd`: `merge` takes those that the image's /etc/group gives it also
   * where a group is named with the user, `strict` takes none. By default those of /etc/group unless a group is named.
   */
  readonly groupsPolicy?: "merge" | "strict";
  /** Paths that are hidden, and paths that can't be written to, in place of the default ones. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** Name of a loaded AppArmor profile, or `unconfined`. */
  readonly apparmor?: string;
  /** SELinux label of its processes, and of the files that are made for it: `USER:ROLE:TYPE:LEVEL`. */
  readonly selinuxLabel?: string;
  readonly selinuxMountLabel?: string;
  /** Devices by their names of the Container Device Interface: `VENDOR/CLASS=NAME`. */
  readonly cdiDevices?: readonly string[];
  /** What is known of it, besides labels, to hooks. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Absolute path of its log in place of the engine's own; it stays when the container goes. */
  readonly logPath?: string;
}
