/** What the services of the CRI work on. */
import type { Engine, Measurements, PodForwards } from "#engine";
import { StreamingServer, type StreamingOptions } from "#streaming";
import { ContainerBook } from "./containers/book.ts";
import { Pulls } from "./images/pulls.ts";
import { Locks } from "./locks.ts";
import { PodBook } from "./pods/book.ts";
import { Rates } from "./stats/rates.ts";
import { WrittenSizes } from "./stats/written-sizes.ts";
import { EngineStreams } from "./streams/backend.ts";

export interface CriContext {
  /** Of the namespace that the CRI has for itself. */
  readonly engine: Engine;
  /** Of Sampan. */
  readonly version: string;
  /** When the daemon started, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly cgroupDriver: "cgroupfs" | "systemd";
  /** What pods are put on; `auto` is CNI's networks where there is a configuration of one. */
  readonly network: "auto" | "bridge" | "cni";
  readonly pods: PodBook;
  readonly containers: ContainerBook;
  /** Of pods, by their ids. */
  readonly locks: Locks;
  /** Connections into pods. */
  readonly forwards: PodForwards;
  readonly streaming: StreamingServer;
  /** Images that are being fetched. */
  readonly pulls: Pulls;
  readonly measurements: Measurements;
  /** What containers have written. */
  readonly written: WrittenSizes;
  readonly rates: Rates;
}

export interface CriOptions extends Pick<CriContext, "engine" | "version" | "startedAt" | "cgroupDriver" | "network"> {
  readonly streaming: Omit<StreamingOptions, "backend">;
}

/**
 * Starts what the CRI needs beside the engine.
 *
 * @throws SampanError `unavailable` when the streaming server's address can't be listened on
 */
export async function openCri({ streaming: options, ...others }: CriOptions): Promise<CriContext> {
  const books = { pods: new PodBook(others.engine), containers: new ContainerBook(others.engine) };
  const forwards = others.engine.pods.forwards();
  const streaming = new StreamingServer({ ...options, backend: new EngineStreams(forwards, books) });
  await streaming.listen();
  const measurements = await others.engine.measurements();
  return {
    ...others,
    ...books,
    forwards,
    streaming,
    locks: new Locks(),
    pulls: new Pulls(others.engine),
    measurements,
    rates: new Rates(),
    written: new WrittenSizes((id) => measurements.written(id)),
  };
}
