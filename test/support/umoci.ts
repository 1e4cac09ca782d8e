/** umoci, as the recipes of the tests' images use it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { mustHere } from "./process.ts";

/** An image's files on disk; what is changed there becomes a layer. */
export class Bundle {
  readonly directory: string;
  readonly rootfs: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.rootfs = join(directory, "rootfs");
  }

  /**
   * @param image `<layout>:<tag>`
   * @param directory where the bundle is made, must not exist
   */
  static async unpack(image: string, directory: string): Promise<Bundle> {
    await mustHere(["umoci", "unpack", "--image", image, directory]);
    return new Bundle(directory);
  }

  /** Writes the changes as one layer upon the image that was unpacked, tags the result, and removes the bundle. */
  async repack(image: string): Promise<void> {
    await mustHere(["umoci", "repack", "--image", image, this.directory]);
    await rm(this.directory, { recursive: true });
  }
}

/** Fields of an image's configuration; a list replaces what was there. */
export interface ImageConfig {
  readonly architecture?: string;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly stopSignal?: string;
  readonly environment?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly labels?: readonly string[];
}

const flags: Readonly<Record<keyof ImageConfig, string>> = {
  architecture: "--architecture",
  user: "--config.user",
  workingDirectory: "--config.workingdir",
  stopSignal: "--config.stopsignal",
  environment: "--config.env",
  entrypoint: "--config.entrypoint",
  command: "--config.cmd",
  volumes: "--config.volume",
  ports: "--config.exposedports",
  labels: "--config.label",
};

/**
 * Changes the configuration of an image in place.
 *
 * @param image `<layout>:<tag>`
 */
export async function configure(image: string, config: ImageConfig): Promise<void> {
  const args = Object.entries(config).flatMap(([field, value]: [string, string | readonly string[]]) => {
    const flag = flags[field as keyof ImageConfig];
    return [value].flat().map((item) => `${flag}=${item}`);
  });
  await mustHere(["umoci", "config", "--image", image, "--os=linux", ...args]);
}
