/** The composition root: what `sampan daemon` runs. */
export { checkConfig, defaultConfigPath, readConfig, type ConfigProblem } from "./config.ts";
export { runDaemon, type RunOptions } from "./run.ts";
export { defaultConfig } from "./settings.ts";
export { loadConfig } from "./config.ts";
