/** Files of the Container Device Interface (CDI specification 0.3 to 1.1, SPEC.md): what a device does to a container. */

export interface CdiSpec {
  /** `vendor.com/class` */
  readonly kind: string;
  readonly devices: ReadonlyMap<string, CdiEdits>;
  /** What all of its devices do, once. */
  readonly edits: CdiEdits;
}

export interface CdiEdits {
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly intelRdt?: CdiIntelRdt;
  readonly additionalGids: readonly number[];
  readonly netDevices: readonly CdiNetDevice[];
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string;
  /** Where the device is looked at; `path` when undefined. */
  readonly hostPath?: string;
  readonly type?: "b" | "c" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  /** Of r, w and m. */
  readonly permissions: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  /** `bind` when it is not said. */
  readonly type: string;
  readonly options: readonly string[];
}

export const hookNames = ["prestart", "createRuntime", "createContainer", "startContainer"] as const;

export interface CdiHook {
  readonly hookName: (typeof hookNames)[number];
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface CdiIntelRdt {
  readonly closID?: string;
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly schemata: readonly string[];
  readonly enableMonitoring: boolean;
}

export interface CdiNetDevice {
  readonly hostInterfaceName: string;
  readonly name: string;
}
