import type { OperationIoPriority, OperationMemoryPolicy, OperationScheduler } from "../operation.gen.ts";
import {
  ioPriorityClasses,
  memoryPolicyFlags,
  memoryPolicyModes,
  nameOf,
  schedulerFlags,
  schedulerPolicies,
} from "../tables/scheduling.ts";
import { rangeWords } from "./words.ts";

/** `schedule it by SCHED_FIFO, priority 10` */
export function schedulerWords(o: OperationScheduler): string {
  const words = [`schedule it by ${nameOf(schedulerPolicies, o.policy)}`];
  if (o.nice !== 0) words.push(`nice ${o.nice}`);
  if (o.priority !== 0) words.push(`priority ${o.priority}`);
  if (o.runtime !== 0n) words.push(`${o.runtime} ns within ${o.deadline} ns of each ${o.period || o.deadline} ns`);
  for (const [name, flag] of Object.entries(schedulerFlags)) if ((o.flags & flag) !== 0n) words.push(name);
  return words.join(", ");
}

export const ioPriorityWords = (o: OperationIoPriority): string =>
  `take I/O priority ${nameOf(ioPriorityClasses, o.class)} ${o.level}`;

export function memoryPolicyWords(o: OperationMemoryPolicy): string {
  const flags = Object.entries(memoryPolicyFlags).filter(([, flag]) => (o.mode & flag) !== 0);
  const mode = flags.reduce((rest, [, flag]) => rest & ~flag, o.mode);
  const where = o.nodes.length === 0 ? "" : ` on nodes ${rangeWords(o.nodes)}`;
  return `take memory by ${[nameOf(memoryPolicyModes, mode), ...flags.map(([name]) => name)].join(", ")}${where}`;
}
