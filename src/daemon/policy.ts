/** Who may do what: the `[[allow]]` tables of the configuration. */
import { permissionDenied } from "#errdefs";

/** A client, as far as its connection tells. */
export interface Peer {
  /** Of a unix socket's client; undefined when it can't be told. */
  readonly pid?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Common name of its certificate, which an authority of ours has signed. */
  readonly certificate?: string;
}

export interface AllowRule {
  readonly uid?: number;
  readonly gid?: number;
  readonly certificate?: string;
  readonly calls: readonly string[];
  readonly binds: readonly string[];
  readonly privileged: boolean;
  /** All when undefined. */
  readonly namespaces?: readonly string[];
}

const readCalls = /\/(Get|List|Inspect|Logs|Version|Info|History|Wait|Watch|Stats|Top|Size|DiskUsage)$/;

const kinds: ReadonlyMap<string, (method: string) => boolean> = new Map([
  ["read", (method: string) => readCalls.test(method)],
  ["containers", (method: string) => method.startsWith("sampan.v1.Containers/") || readCalls.test(method)],
  ["images", (method: string) => method.startsWith("sampan.v1.Images/") || readCalls.test(method)],
  ["all", () => true],
]);

/** Whether `calls` of a rule may have this word. */
export function isCallName(name: string): boolean {
  return kinds.has(name) || /^sampan\.v1\.[A-Z][A-Za-z]+\/[A-Z][A-Za-z]+$/.test(name);
}

export function describePeer({ pid, uid, gid, certificate }: Peer): string {
  if (certificate !== undefined) return `certificate "${certificate}"`;
  return uid === undefined ? "an unknown client" : `uid ${uid}, gid ${gid}, pid ${pid}`;
}

/** What a container asks of the host, as far as a policy can forbid it. */
export interface ContainerDemand {
  /** Host directories and files that it mounts. */
  readonly binds: readonly string[];
  /** Why it is more than a plain container, e.g. `--privileged`; empty when it is one. */
  readonly privileges: readonly string[];
}

export class Policy {
  readonly #rules: readonly AllowRule[];
  readonly #ownUid: number;

  /** @param rules without any, everybody may do everything */
  constructor(rules: readonly AllowRule[], ownUid = process.getuid?.() ?? 0) {
    this.#rules = rules;
    this.#ownUid = ownUid;
  }

  /**
   * @param namespace whose containers and images the call is about
   * @param method as `sampan.v1.Containers/Create`
   * @throws SampanError `permission-denied`
   */
  check(peer: Peer, namespace: string, method: string, demand?: ContainerDemand): void {
    if (this.#rules.length === 0 || peer.uid === 0 || (peer.uid !== undefined && peer.uid === this.#ownUid)) return;
    const fitting = this.#rules.filter(
      (rule) =>
        fits(rule, peer) &&
        rule.namespaces?.includes(namespace) !== false &&
        rule.calls.some((call) => covers(call, method)),
    );
    if (fitting.length === 0)
      throw permissionDenied(`Cannot call "${method}": ${describePeer(peer)} is not allowed to`, {
        remedy: "See [[allow]] in the daemon's configuration",
      });
    if (demand === undefined) return;
    const refused = demand.binds.find(
      (path) => !fitting.some((rule) => rule.binds.some((below) => isBelow(path, below))),
    );
    if (refused !== undefined)
      throw permissionDenied(`Cannot mount "${refused}": ${describePeer(peer)} is not allowed to`, { path: refused });
    const [privilege] = demand.privileges;
    if (privilege !== undefined && !fitting.some((rule) => rule.privileged))
      throw permissionDenied(`Cannot use ${privilege}: ${describePeer(peer)} is not allowed to`);
  }
}

function fits(rule: AllowRule, peer: Peer): boolean {
  return (
    (rule.uid !== undefined && rule.uid === peer.uid) ||
    (rule.gid !== undefined && rule.gid === peer.gid) ||
    (rule.certificate !== undefined && rule.certificate === peer.certificate)
  );
}

const covers = (call: string, method: string): boolean => kinds.get(call)?.(method) ?? call === method;

/** Both are absolute and without `.` and `..`. */
function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}
