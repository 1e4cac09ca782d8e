/** Puts networks, and what running containers have on them, into an empty book. */
import type { Database } from "#images";
import { readNetworks } from "../network-log.ts";
import { DatabaseNetworkStore } from "../network-store.ts";

/**
 * @param isAlive whether a container runs, of whatever namespace; others get new addresses when they start
 * @returns names of the networks
 */
export function restoreNetworks(database: Database, isAlive: (container: string) => boolean): readonly string[] {
  const { networks, endpoints } = readNetworks(database.path);
  if (networks.length === 0) return [];
  const store = new DatabaseNetworkStore(database);
  store.transaction(() => {
    for (const record of networks) store.saveNetwork(record);
    for (const endpoint of endpoints) {
      const { network, container, addresses, ports } = endpoint;
      if (store.network(network) === undefined || !isAlive(container)) continue;
      store.saveEndpoint(endpoint);
      for (const address of addresses) store.takeAddress(network, address.replace(/\/\d+$/, ""), container);
      for (const port of ports) {
        const taken = store.portHolders(port.protocol, port.hostPort);
        if (!taken.some(({ hostAddress }) => hostAddress === port.hostAddress))
          store.takePort(network, container, port);
      }
    }
  });
  return networks.map(({ name }) => name).toSorted();
}
