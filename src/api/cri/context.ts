/** What the services of the CRI work on. */
import type { Engine } from "#engine";
import { StreamingServer, type StreamingOptions } from "#streaming";
import { ContainerBook } from "./containers/book.ts";
import { PodBook } from "./pods/book.ts";
import { EngineStreams } from "./streams/backend.ts";

export interface CriContext {
  /** Of the namespace that the CRI has for itself. */
  readonly engine: Engine;
  /** Of Sampan. */
  readonly version: string;
  /** When the daemon started, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly cgroupDriver: "cgroupfs" | "systemd";
  readonly pods: PodBook;
  readonly containers: ContainerBook;
  readonly streaming: StreamingServer;
}

export interface CriOptions extends Pick<CriContext, "engine" | "version" | "startedAt" | "cgroupDriver"> {
  readonly streaming: Omit<StreamingOptions, "backend">;
}

/**
 * Starts what the CRI needs beside the engine.
 *
 * @throws SampanError `unavailable` when the streaming server's address can't be listened on
 */
export async function openCri({ streaming: options, ...others }: CriOptions): Promise<CriContext> {
  const books = { pods: new PodBook(others.engine), containers: new ContainerBook(others.engine) };
  const streaming = new StreamingServer({ ...options, backend: new EngineStreams(others.engine, books) });
  await streaming.listen();
  return { ...others, ...books, streaming };
}
