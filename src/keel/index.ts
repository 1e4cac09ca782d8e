export type { CreateOptions, Executor, LayerEntry, LayerSink } from "./executor.ts";
