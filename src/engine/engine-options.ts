/** Options of the embedded engine. */
import type { ImageLimits } from "#images";
import type { CredentialSource, RegistryOptions } from "#remotes";
import type { RuntimeDefinitions } from "./handlers/handlers.ts";
import type { CniSettings } from "./network/cni-settings.ts";
import type { OnDamage } from "./housekeeping/open-book.ts";
import type { TransferOptions } from "./interface.ts";

export interface EngineOptions {
  /** Where images and containers are kept; `SAMPAN_ROOT` or /var/lib/sampan by default. */
  readonly root?: string;
  /** Where the state of running containers is kept; `SAMPAN_STATE` or /run/sampan by default. */
  readonly state?: string;
  /** Path of all containers' cgroups in each hierarchy; `SAMPAN_CGROUP_PARENT` or /sampan by default. */
  readonly cgroupParent?: string;
  /** How registries are talked to: mirrors, limits and so on. Credentials are those of Docker's config.json by default. */
  readonly registry?: RegistryOptions;
  /** Where CNI's configurations and plugins are. */
  readonly cni?: CniSettings;
  /** Layers of an image that are fetched and unpacked at once, 4 by default. */
  readonly parallelLayers?: number;
  /** Bytes of an image from which on its layers are unpacked by threads, which takes some 80 MB more memory. Never by default. */
  readonly threadsFrom?: number;
  /** Bounds on images: sizes of manifests and layers, how much these may unpack to, entries and names in them. */
  readonly imageLimits?: Partial<ImageLimits>;
  /** Whose images, containers, volumes and networks; `SAMPAN_NAMESPACE` or `default` by default. Made when it is new. */
  readonly namespace?: string;
  /**
   * Whether a process in the background may be started to look after containers that need it (restart policies, health
   * checks), where none does; true by default. One that says false is to call {@link Engine.supervise}.
   */
  readonly background?: boolean;
  /** Other runtimes that containers can ask for, by name; `runc`, `crun` and `runsc` need none when they are installed. */
  readonly runtimes?: RuntimeDefinitions | (() => Promise<RuntimeDefinitions>);
  /** What to do with a damaged database: fail (the default), or keep it aside and rebuild it from what is on disk. */
  readonly onDamage?: OnDamage;
  /** Only to look, also on a disk that cannot be written. */
  readonly readOnly?: boolean;
}

/** Of a pull by the embedded engine. */
export interface PullOptions extends TransferOptions {
  /** In place of those of Docker's configuration file. */
  readonly credentials?: CredentialSource | undefined;
}
