export * as netlink from "./netlink/index.ts";
export type { Family } from "./address/text.ts";
export type { TransportProtocol } from "./firewall/keys.ts";
export { parsePublish, type PortRequest } from "./ports/parse.ts";
export type { EndpointRecord, NetworkRecord, PublishedPort, Subnet } from "./records.ts";
export type { NetworkStore, TakenPort } from "./store.ts";
export { Networks, type Attachment, type AttachOptions, type HostsEntry, type NetworksOptions } from "./networks.ts";
export type { CreateNetworkOptions } from "./bridge/create.ts";
