/** What is kept of containers on CNI networks, so that they can be taken from them whatever has happened since. */
import type { CniWishes } from "./capabilities.ts";
import type { CniList } from "./configuration.ts";
import type { JsonObject } from "./reader.ts";

export interface CniSummary {
  /** With their prefix' lengths, those of the attachment's interface first. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly mac: string;
}

export interface CniAttachment {
  readonly container: string;
  /** Name of the interface in the container. */
  readonly interface: string;
  /** The configuration that it was made with; the file may have changed since. */
  readonly list: CniList;
  /** The network namespace's file. */
  readonly namespace: string;
  /** `NAME=VALUE;…` for plugins. */
  readonly args: string;
  readonly wishes: CniWishes;
  /** The last plugin's answer. Missing while plugins are being called, and after one of them has failed. */
  readonly result?: JsonObject;
  /** What is in `result` of the container's own, for people. */
  readonly summary?: CniSummary;
  /** Of those that were called so far, in place of `result`. */
  readonly partial?: JsonObject;
  /** The process that made it. */
  readonly maker: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Each method is atomic, and is on the disk when it returns. */
export interface CniAttachments {
  all(): readonly CniAttachment[];
  /** In the order of their interfaces. */
  of(container: string): readonly CniAttachment[];
  save(attachment: CniAttachment): void;
  /** Idempotent. */
  delete(container: string, interfaceName: string): void;
}
