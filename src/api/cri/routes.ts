/** The services of the CRI, each put together of parts. What no part has answers Unimplemented. */
import type { ConnectRouter } from "@connectrpc/connect";
import { containerService } from "./containers/service.ts";
import type { CriContext } from "./context.ts";
import { eventService } from "./events.ts";
import { ImageService } from "./gen/runtime/v1/images_pb.ts";
import { RuntimeService } from "./gen/runtime/v1/runtime_pb.ts";
import { imageService } from "./images/service.ts";
import { podService } from "./pods/service.ts";
import { statsService } from "./stats/service.ts";
import { statusService } from "./status.ts";
import { streamService } from "./streams/service.ts";
import { versionService } from "./version.ts";

export function criRoutes(context: CriContext): (router: ConnectRouter) => void {
  return (router) => {
    router.service(RuntimeService, {
      ...versionService(context),
      ...statusService(context),
      ...podService(context),
      ...containerService(context),
      ...streamService(context),
      ...statsService(context),
      ...eventService(context),
    });
    router.service(ImageService, imageService(context));
  };
}
