import { invalidArgument } from "#errdefs";
import { changeMounts, readConfigFile } from "#runtime";
import { parseJson, parseMounts } from "#spec";
import { ociCommand } from "../command.ts";

export const mounts = ociCommand(
  {
    name: "mounts",
    summary: "Add mounts to a running container, or remove them",
    usage: "add|remove CONTAINER FILE|-",
    positionals: [3, 3],
    options: {},
    examples: [`echo '[{"destination": "/cache", "type": "tmpfs", "source": "tmpfs"}]' | sampan-oci mounts add web -`],
  },
  async (_, [action = "", id = "", file = ""], context) => {
    if (action !== "add" && action !== "remove")
      throw invalidArgument(`Cannot parse "${action}": mounts are added (add) or removed (remove)`);
    const list = parseMounts(parseJson(readConfigFile(file)));
    const runtime = context.runtime();
    await changeMounts(runtime, runtime.get(id), action, list);
    return 0;
  },
);
