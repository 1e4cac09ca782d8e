export { Cni, type CniOptions, type CniPlace, type CniRequest } from "./cni.ts";
export type { CniAttachment, CniAttachments, CniSummary } from "./attachment.ts";
export type { CniBandwidth, CniIpRange, CniPortMapping, CniWishes } from "./capabilities.ts";
export type { CniList } from "./configuration.ts";
export type { CniFile } from "./directory.ts";
export { CniPluginError } from "./failure.ts";
export { portMappings, takeCniPorts } from "./ports.ts";
export { addressesOf, type CniDns, type CniResult } from "./result.ts";
