import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";

/** Containers, from their making to their removal. */
export function containerService(context: CriContext): RuntimePart {
  void context;
  return {};
}
