/** Flags of all commands that talk to registries. */
import type { RegistryOptions } from "#remotes";

export const registryFlags = {
  "hosts-dir": {
    type: "list",
    value: "DIR",
    help: "where mirrors and certificates of registries are configured, in place of SAMPAN_HOSTS_DIR",
  },
  insecure: {
    type: "list",
    value: "HOST[:PORT]",
    help: "registry whose certificate is not checked, and that may speak plain http",
  },
  "limit-rate": { type: "string", value: "BYTES", help: "bytes a second of all transfers, e.g. 10MB" },
} as const;

interface RegistryValues {
  readonly "hosts-dir": readonly string[];
  readonly insecure: readonly string[];
  readonly "limit-rate": string | undefined;
}

/** What the flags say for the registry client. */
export async function registryOptions(values: RegistryValues): Promise<Omit<RegistryOptions, "credentials">> {
  const directories = values["hosts-dir"];
  const rate = values["limit-rate"];
  return {
    ...(directories.length > 0 && { hostsDirectories: directories }),
    ...(values.insecure.length > 0 && { insecure: values.insecure }),
    ...(rate !== undefined && { limitRate: (await import("#engine")).parseBytes(rate, "--limit-rate") }),
  };
}

export const parallelFlag = {
  parallel: { type: "string", value: "N", help: "layers that are fetched and unpacked at once (4)" },
} as const;

/** What {@link parallelFlag} says for the engine. */
export async function parallelLayers({
  parallel,
}: {
  readonly parallel: string | undefined;
}): Promise<{ parallelLayers?: number }> {
  if (parallel === undefined) return {};
  const { parseInteger } = await import("#engine");
  return { parallelLayers: parseInteger(parallel, "--parallel", 1, 64) };
}

/** Whether the registries are to be talked to in a way of this command's own, which the engine of this process can alone. */
export function hasRegistryFlags(values: RegistryValues & { readonly parallel?: string | undefined }): boolean {
  return (
    values["hosts-dir"].length + values.insecure.length > 0 ||
    values["limit-rate"] !== undefined ||
    values.parallel !== undefined
  );
}
