import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";

const sources = fileURLToPath(new URL("../src/", import.meta.url));

/**
 * An esbuild plugin for Node's own modules that are slow to load, and of which our sources use functions and constructors only:
 * the first call loads them. node:crypto alone takes as long as making a container.
 */
export const late: Plugin = {
  name: "late",
  setup(build) {
    build.onResolve({ filter: /^node:(crypto|fs\/promises|readline\/promises)$/ }, ({ path, importer }) =>
      importer.startsWith(sources) ? { path, namespace: "late" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "late" }, async ({ path }) => {
      const module = (await import(path)) as object;
      const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
      const lines = Object.entries(module)
        .filter(([name, value]) => typeof value === "function" && name !== "default")
        // A function that gives an object can be called with "new".
        .map(([name]) =>
          /^[A-Z]/.test(name)
            ? `export function ${name}(...all) { return new ${load}.${name}(...all); }`
            : `export const ${name} = (...all) => ${load}.${name}(...all);`,
        );
      return { contents: lines.join("\n") };
    });
  },
};
