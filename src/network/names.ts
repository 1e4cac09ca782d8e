import type { NetworkRecord } from "./records.ts";

/** Answers the names of networks' containers. Without one, names stand in /etc/hosts. */
export interface NameService {
  /**
   * Whether it answers for a network, at the addresses of its gateways: they are the only name servers in its containers'
   * /etc/resolv.conf then.
   */
  serves(network: NetworkRecord): boolean;
  /**
   * Called when a container has been connected, and before its program runs: the gateway's addresses are there. Resolves when
   * questions are answered. Idempotent, and fast when nothing has to be done.
   */
  ensure(network: NetworkRecord): Promise<void>;
  /** Called after containers have come to a network, left it, or got other names. */
  changed?(network: NetworkRecord): Promise<void>;
}
