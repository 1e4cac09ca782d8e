import type { CriContext } from "./context.ts";
import type { RuntimePart } from "./service.ts";

/** What happens to containers, as a kubelet that lives on events follows it. */
export function eventService(context: CriContext): RuntimePart {
  void context;
  return {};
}
