/** `engine.cni`: networks that CNI's plugins make. */
import { isSampanError } from "#errdefs";
import type { CniFile } from "#network";
import type { EngineCore } from "../core.ts";

/** Whether pods and containers can be put on the first CNI network. */
export interface CniStatus {
  /** There is a configuration, be it valid or not: who chooses by himself takes CNI's network then. */
  readonly configured: boolean;
  readonly ready: boolean;
  /** Name of the network, empty when there is none that is valid. */
  readonly network: string;
  /** Why it is not ready, empty when it is. */
  readonly message: string;
}

export class EngineCni {
  readonly #core: EngineCore;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Asks the first network's plugins (STATUS), and sees that they are there. Reads the directory of configurations anew. */
  async status(): Promise<CniStatus> {
    const { cni } = await this.#core.cniNetworking();
    const configured = cni.files().length > 0;
    try {
      const { name } = await cni.status();
      return { configured, ready: true, network: name, message: "" };
    } catch (error) {
      if (!isSampanError(error)) throw error;
      return { configured, ready: false, network: cni.networks()[0]?.name ?? "", message: error.message };
    }
  }

  /** All files of configurations in their order, also those that can't be read. */
  async files(): Promise<readonly CniFile[]> {
    return (await this.#core.cniNetworking()).cni.files();
  }

  /**
   * Whether a container's or a pod's networks are as they were made (CHECK).
   *
   * @param nameOrId of a container, or of a pod
   * @throws SampanError naming the plugin and what is wrong
   */
  async check(nameOrId: string): Promise<void> {
    const { cni } = await this.#core.cniNetworking();
    await cni.check(this.#idOf(nameOrId));
  }

  #idOf(nameOrId: string): string {
    try {
      return this.#core.records.find(nameOrId).id;
    } catch (error) {
      if (!isSampanError(error, "not-found")) throw error;
      return this.#core.pods.find(nameOrId).id;
    }
  }

  /**
   * Takes from networks what is there for nobody any more: after a crash or a reboot, and of other programs' (GC).
   *
   * @throws SampanError the first failure, when all was tried
   */
  async collect(): Promise<void> {
    const { cni } = await this.#core.cniNetworking();
    await cni.collect();
  }
}
