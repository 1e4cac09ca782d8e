import { refuse } from "../refuse.ts";

/**
 * Path of the cgroup that a pod's is made in: a path as kubelets of both drivers give it, or the name of a systemd slice, whose
 * place its name tells (systemd.slice(5)): `a-b.slice` is `/a.slice/a-b.slice`. Undefined for none.
 */
export function cgroupParent(given: string): string | undefined {
  if (given === "" || given === "/") return undefined;
  const path = given.includes("/") || !given.endsWith(".slice") ? plain(given) : expand(given);
  const parts = path.split("/").slice(1);
  const isGood = parts.every((part) => part !== "" && part !== "." && part !== ".." && !/[\0\n]/.test(part));
  if (isGood && path.length <= 900) return path;
  return refuse(
    "make a pod sandbox",
    "config.linux.cgroup_parent",
    `${JSON.stringify(given.slice(0, 80))} is neither an absolute path nor a slice`,
  );
}

const plain = (path: string): string => `/${path.replace(/^\/+|\/+$/g, "").replace(/\/{2,}/g, "/")}`;

function expand(slice: string): string {
  const name = slice.slice(0, -".slice".length);
  // The root of all slices.
  if (name === "-") return "/";
  const words = name.split("-");
  if (words.includes("")) return "//";
  return words.map((_, index) => `/${words.slice(0, index + 1).join("-")}.slice`).join("");
}
