/** The service `sampan.v1.Events`. */
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { WatchEventsResponseSchema, type Events } from "../gen/sampan/v1/events_pb.ts";
import { plainFilters } from "./containers.ts";
import type { ApiContext } from "./context.ts";

export function eventsService({ engine }: ApiContext): ServiceImpl<typeof Events> {
  return {
    async *watch({ since, until, filters }, { signal }) {
      const events = engine.events({ since, until, signal, filters: plainFilters(filters) });
      for await (const { type, action, id, attributes, time } of events)
        yield create(WatchEventsResponseSchema, { type, action, id, attributes: { ...attributes }, time });
    },
  };
}
