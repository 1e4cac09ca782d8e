import type { CriContext } from "./context.ts";
import type { ImagePart } from "./service.ts";

/** Images for the kubelet. */
export function imageService(context: CriContext): ImagePart {
  void context;
  return {};
}
