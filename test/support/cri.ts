/** A daemon in a test host that serves the CRI, and clients of it that speak gRPC as a kubelet does. */
import { connect } from "node:net";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Client, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ImageService, RuntimeService } from "#api-cri";
import type { PodSandboxConfig, PodSandboxConfigSchema } from "../../src/api/cri/gen/runtime/v1/pods_pb.ts";
import { TestDaemon, type TestDaemonOptions } from "./daemon.ts";
import { testImage, type ImageName } from "./images.ts";
import { StockedHost } from "./stocked-host.ts";
import type { TestHost } from "./testhost.ts";

export type PodConfig = Exclude<MessageInitShape<typeof PodSandboxConfigSchema>, PodSandboxConfig>;

const criNamespace = "k8s.io";

export class CriHost implements AsyncDisposable {
  readonly stocked: StockedHost;
  /** Changed by {@link CriHost.restart}. */
  daemon: TestDaemon;
  readonly runtime: Client<typeof RuntimeService>;
  readonly images: Client<typeof ImageService>;
  readonly #options: TestDaemonOptions;
  #pods = 0;

  private constructor(stocked: StockedHost, daemon: TestDaemon, options: TestDaemonOptions) {
    this.stocked = stocked;
    this.daemon = daemon;
    this.#options = options;
    const transport = this.transport();
    this.runtime = createClient(RuntimeService, transport);
    this.images = createClient(ImageService, transport);
  }

  /**
   * Makes a host with a daemon, a registry in it, and images that are pulled from there in the CRI's namespace. Its pods are on
   * the built-in bridge, whatever the machine has in /etc/cni/net.d.
   */
  static async create(names: readonly ImageName[], given: TestDaemonOptions = {}): Promise<CriHost> {
    const options = { ...given, flags: ["--set", "cri.network=bridge", ...(given.flags ?? [])] };
    const stocked = await StockedHost.create([]);
    try {
      for (const name of names) {
        await stocked.registry.push(await testImage(name), `${name}:1`, ["--multi-arch", "all"]);
        await stocked.must(["--namespace", criNamespace, "pull", stocked.image(name)], { timeout: 300_000 });
      }
      return new CriHost(stocked, await TestDaemon.start(stocked.host, options), options);
    } catch (error) {
      await stocked[Symbol.asyncDispose]();
      throw error;
    }
  }

  get host(): TestHost {
    return this.stocked.host;
  }

  /** Path of the CRI's socket. */
  get socket(): string {
    return join(this.host.state, "cri.sock");
  }

  transport(): Transport {
    return createGrpcTransport({
      baseUrl: "http://localhost",
      nodeOptions: { createConnection: () => connect({ path: this.socket }) },
    });
  }

  /** Reference of an image in the registry. */
  image(name: ImageName): string {
    return this.stocked.image(name);
  }

  /** Of a pod that no other has. */
  podConfig(more: PodConfig = {}): PodConfig {
    this.#pods += 1;
    return {
      metadata: { name: `pod${this.#pods}`, namespace: "test", uid: `uid-${this.#pods}`, attempt: 0 },
      linux: {},
      ...more,
    };
  }

  /** @returns the id of a pod that is ready */
  async runPod(more: PodConfig = {}, runtimeHandler = ""): Promise<string> {
    const { podSandboxId } = await this.runtime.runPodSandbox({ config: this.podConfig(more), runtimeHandler });
    return podSandboxId;
  }

  /** Ends the daemon by a signal, and starts another. Containers run on. */
  async restart(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.daemon.signal(signal);
    this.daemon = await TestDaemon.start(this.host, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.stocked[Symbol.asyncDispose]();
  }
}
