/** What the commands of `sampan ctr` work with. */
import type { Container, Engine, EngineOptions } from "#engine";
import { isSampanError } from "#errdefs";
import type { GlobalOptions } from "../command.ts";
import { openEngine } from "../open.ts";

/** Something that is told in containerd's own words, after the program's name. */
export class CtrFailure extends Error {}

export class CtrContext implements AsyncDisposable {
  readonly globals: GlobalOptions;
  #engine: Engine | undefined;

  constructor(globals: GlobalOptions) {
    this.globals = globals;
  }

  get namespace(): string {
    return this.globals.namespace ?? "default";
  }

  /** In this process, also where a daemon serves the same root: both may work on it at once. */
  async engine(options: EngineOptions = {}): Promise<Engine> {
    return (this.#engine ??= await openEngine(this.globals, options));
  }

  /** A container by its whole name, which is what containerd has for an id, or by its whole id. */
  async container(id: string, missing = "container id must be provided"): Promise<Container> {
    if (id === "") throw new CtrFailure(missing);
    try {
      const container = (await this.engine()).get(id);
      if (container.name === id || container.id === id) return container;
    } catch (error) {
      if (!isSampanError(error, "not-found")) throw error;
    }
    throw this.notFound("container", id);
  }

  notFound(kind: "container", name: string): CtrFailure {
    return new CtrFailure(`${kind} "${name}" in namespace "${this.namespace}": not found`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine?.[Symbol.asyncDispose]();
    this.#engine = undefined;
  }
}
