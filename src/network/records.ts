/** What is kept of networks and of who is on them. Plain data: a store may write it as JSON. */
import type { EgressPolicy } from "./egress/policy.ts";
import type { TransportProtocol } from "./firewall/keys.ts";

export interface Subnet {
  /** E.g. `10.88.0.0/16`. */
  readonly prefix: string;
  /** The bridge's address in it; of other drivers that of the router on the link. */
  readonly gateway: string;
  /** The part of it that addresses are given from, all of it when missing. */
  readonly range?: string;
}

export const drivers = ["bridge", "macvlan", "ipvlan"] as const;
/** How containers are connected: by a bridge of the host, or by interfaces of their own on one of the host's. */
export type Driver = (typeof drivers)[number];

export interface NetworkRecord {
  readonly name: string;
  readonly driver: Driver;
  /**
   * Name of the host's interface below: the bridge, or the parent. It is made with this index where it is missing; a parent
   * with another index is the host's own.
   */
  readonly bridge: string;
  readonly index: number;
  /** One of IPv4, one of IPv6, or both. */
  readonly subnets: readonly Subnet[];
  /** Largest packet, in bytes. */
  readonly mtu: number;
  /** No way out of the host, and none in. */
  readonly internal: boolean;
  /** As they were given; `networkTraits` says what they mean. */
  readonly options?: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** One port of the host that leads to one of a container. */
export interface PublishedPort {
  readonly protocol: TransportProtocol;
  /** Of the host; `0.0.0.0` and `::` are all of a family. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Of the container. */
  readonly address: string;
  readonly port: number;
}

/** A container on a network. */
export interface EndpointRecord {
  readonly network: string;
  readonly container: string;
  /** Names of the two ends, in the container and on the host; the latter is empty where there is only one. */
  readonly interface: string;
  readonly hostInterface: string;
  /** Index of the interface in the container. */
  readonly index: number;
  readonly mac: string;
  /** With prefix length, e.g. `10.88.0.2/16`. */
  readonly addresses: readonly string[];
  /** The container's default route goes through it. */
  readonly isWayOut: boolean;
  /** Names by which others of the network know it. */
  readonly aliases: readonly string[];
  /** Name servers that are asked for what is not of this host; the host's when missing. */
  readonly nameServers?: readonly string[];
  /** What it may reach; anything when missing. */
  readonly egress?: EgressPolicy;
  readonly ports: readonly PublishedPort[];
}
