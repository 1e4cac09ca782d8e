/** The composition root: what `sampan daemon` runs. */
export { runDaemon } from "./run.ts";
