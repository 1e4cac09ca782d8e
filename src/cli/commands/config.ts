import { command } from "../command.ts";

export const configDefault = command(
  {
    name: "config default",
    summary: "Print the daemon's configuration file with all settings at their defaults",
    usage: "",
    positionals: [0, 0],
    options: {},
    examples: ["sampan config default > /etc/sampan/config.toml"],
  },
  async () => {
    const { defaultConfig } = await import("#daemon");
    process.stdout.write(defaultConfig());
    return 0;
  },
);

export const configCheck = command(
  {
    name: "config check",
    summary: "Say what is wrong in the daemon's configuration file, line by line",
    usage: "[FILE]",
    positionals: [0, 1],
    options: {},
    examples: ["sampan config check", "sampan config check new.toml"],
  },
  async (_, [file]) => {
    const { checkConfig, defaultConfigPath, readConfig } = await import("#daemon");
    const path = file ?? defaultConfigPath;
    const { problems } = checkConfig(readConfig(path));
    for (const { line, message } of problems)
      process.stderr.write(`${path}${line === undefined ? "" : `:${line}`}: ${message}\n`);
    if (problems.length === 0) process.stdout.write(`${path}: no problem\n`);
    return problems.length === 0 ? 0 : 1;
  },
);
