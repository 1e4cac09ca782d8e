import type { Agent } from "node:http";
import type { Endpoint } from "./endpoint.ts";
import { unknownAuthority } from "./failure.ts";
import { proxyFor } from "./proxy.ts";

type Target = Pick<Endpoint, "verify" | "trust">;

/** Keeps connections open, apart for all that may not share one: other certificates, another proxy. */
export class Agents {
  readonly #agents = new Map<Endpoint["trust"], Map<string, Agent>>();
  /** Reading all authorities of the machine takes a quarter of a second: they are only read where they are needed. */
  #system: readonly string[] | undefined;
  readonly #wide = new Set<Endpoint["trust"]>();

  /** @param own the address is of the host that the certificates are for, which may see ours */
  async get(url: URL, target: Target, own: boolean): Promise<Agent> {
    const secure = url.protocol === "https:";
    const proxy = proxyFor(url, process.env);
    const { verify, trust } = target;
    const agents = this.#agents.get(trust) ?? new Map<string, Agent>();
    this.#agents.set(trust, agents);
    const key = `${secure} ${verify} ${own} ${proxy ?? ""}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const { Agent: HttpAgent } = secure ? await import("node:https") : await import("node:http");
    const agent = new HttpAgent({
      keepAlive: true,
      ...(proxy !== undefined && { proxyEnv: { http_proxy: proxy, https_proxy: proxy } }),
      ...(secure && { rejectUnauthorized: verify, ...this.#certificates(trust, own) }),
    });
    agents.set(key, agent);
    return agent;
  }

  #certificates(trust: Endpoint["trust"], own: boolean): object {
    const ca = this.#wide.has(trust) ? [...(this.#system ?? []), ...(trust?.ca ?? [])] : (trust?.ca ?? []);
    const client = own ? (trust?.client ?? []) : [];
    return {
      ...(ca.length > 0 && { ca }),
      ...(client.length > 0 && { cert: client.map(({ cert }) => cert), key: client.map(({ key }) => key) }),
    };
  }

  /**
   * After a failure: trusts all authorities of the machine too, where it is an unknown one that made it fail.
   *
   * @returns whether trying again is of any use
   */
  async widen(error: unknown, { trust }: Target): Promise<boolean> {
    if (!unknownAuthority.test((error as NodeJS.ErrnoException | undefined)?.code ?? "") || this.#wide.has(trust))
      return false;
    const { getCACertificates } = await import("node:tls");
    this.#system ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
    this.#wide.add(trust);
    const agents = this.#agents.get(trust);
    this.#agents.delete(trust);
    // Those that are in use end by themselves.
    for (const agent of agents?.values() ?? []) agent.destroy();
    return true;
  }

  /** Closes idle and busy connections. */
  close(): void {
    for (const agents of this.#agents.values()) for (const agent of agents.values()) agent.destroy();
    this.#agents.clear();
  }
}
