import type { ConnectRouter } from "@connectrpc/connect";
import { Containers } from "../gen/sampan/v1/containers_pb.ts";
import { Events } from "../gen/sampan/v1/events_pb.ts";
import { Images } from "../gen/sampan/v1/images_pb.ts";
import { System } from "../gen/sampan/v1/system_pb.ts";
import { containersService } from "./containers.ts";
import type { ApiContext } from "./context.ts";
import { eventsService } from "./events.ts";
import { imagesService } from "./images.ts";
import { systemService } from "./system.ts";

/** All services of `sampan.v1`. */
export function nativeRoutes(context: ApiContext): (router: ConnectRouter) => void {
  return (router) => {
    router.service(Containers, containersService(context));
    router.service(Events, eventsService(context));
    router.service(Images, imagesService(context));
    router.service(System, systemService(context));
  };
}
