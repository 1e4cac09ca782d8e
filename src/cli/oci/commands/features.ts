import { probeHost } from "#host";
import { ociCommand } from "../command.ts";
import { describeFeatures } from "../features-json.ts";

export const features = ociCommand(
  {
    name: "features",
    summary: "Print what this runtime can do, as JSON (runtime-spec features.md)",
    usage: "",
    positionals: [0, 0],
    options: {},
    examples: ["sampan-oci features"],
  },
  async () => {
    process.stdout.write(`${JSON.stringify(describeFeatures(probeHost()), undefined, 2)}\n`);
    await Promise.resolve();
    return 0;
  },
);
