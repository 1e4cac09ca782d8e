import { command } from "../command.ts";

export const logout = command(
  {
    name: "logout",
    summary: "Forget the user name and password for a registry",
    usage: "[REGISTRY]",
    positionals: [0, 1],
    options: {},
    examples: ["sampan logout registry.example.com"],
  },
  async (_, [domain = "docker.io"]) => {
    const { eraseCredentials } = await import("#remotes");
    const { registryHost } = await import("./login.ts");
    const host = registryHost(domain);
    const found = await eraseCredentials(host);
    process.stdout.write(found ? `Logged out of ${host}\n` : `Not logged in to ${host}\n`);
    return 0;
  },
);
