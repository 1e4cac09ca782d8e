/** Containers for tests of the CRI: each in a pod that the test has made. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  ContainerState,
  type ContainerConfig,
  type ContainerConfigSchema,
  type ContainerStatus,
} from "../../src/api/cri/gen/runtime/v1/containers_pb.ts";
import type { CriHost } from "./cri.ts";
import { eventually } from "./stocked-host.ts";

export type ContainerInit = Exclude<MessageInitShape<typeof ContainerConfigSchema>, ContainerConfig>;

export interface ExecOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

let containers = 0;

export class CriContainers {
  readonly #cri: CriHost;
  readonly podId: string;

  /** @param podId of the pod that they are made in */
  constructor(cri: CriHost, podId: string) {
    this.#cri = cri;
    this.podId = podId;
  }

  /** With a name of its own, that does nothing until it is stopped. */
  config(more: ContainerInit = {}): ContainerInit {
    containers += 1;
    return {
      metadata: { name: `container${containers}`, attempt: 0 },
      image: { image: this.#cri.image("busybox") },
      command: ["sleep", "1000"],
      linux: {},
      ...more,
    };
  }

  async create(more: ContainerInit = {}): Promise<string> {
    const { containerId } = await this.#cri.runtime.createContainer({
      podSandboxId: this.podId,
      config: this.config(more),
    });
    return containerId;
  }

  /** Made and started. */
  async run(more: ContainerInit = {}): Promise<string> {
    const containerId = await this.create(more);
    await this.#cri.runtime.startContainer({ containerId });
    return containerId;
  }

  async status(containerId: string): Promise<ContainerStatus> {
    const { status } = await this.#cri.runtime.containerStatus({ containerId });
    if (status === undefined) throw new Error("Cannot look at the container: the answer has no status");
    return status;
  }

  /** Waits for its end. */
  async ended(containerId: string): Promise<ContainerStatus> {
    let status: ContainerStatus | undefined;
    await eventually("the container's end", async () => {
      status = await this.status(containerId);
      return status.state === ContainerState.CONTAINER_EXITED;
    });
    return status as ContainerStatus;
  }

  async exec(containerId: string, ...cmd: readonly string[]): Promise<ExecOutput> {
    const { stdout, stderr, exitCode } = await this.#cri.runtime.execSync({
      containerId,
      cmd: [...cmd],
      timeout: 30n,
    });
    return { stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString(), exitCode };
  }

  /** A shell's output in it, without the last newline. */
  async sh(containerId: string, script: string): Promise<string> {
    const { stdout, stderr, exitCode } = await this.exec(containerId, "sh", "-c", script);
    if (exitCode !== 0) throw new Error(`Cannot run ${script}: exit code ${exitCode}\n${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  /** Runs it, has a shell say something in it, and removes it. */
  async look(more: ContainerInit, script: string): Promise<string> {
    const id = await this.run(more);
    try {
      return await this.sh(id, script);
    } finally {
      await this.remove(id);
    }
  }

  async remove(containerId: string): Promise<void> {
    await this.#cri.runtime.removeContainer({ containerId });
  }
}

/** `CODE: message` of a call that fails. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return `${Code[error.code]}: ${error.rawMessage}`;
    throw error;
  }
  throw new Error("Cannot see a failure: the call succeeded");
}
