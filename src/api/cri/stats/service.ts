import type { CriContext } from "../context.ts";
import type { RuntimePart } from "../service.ts";

/** What containers and pods use. */
export function statsService(context: CriContext): RuntimePart {
  void context;
  return {};
}
