/** The service `sampan.v1.Images`. */
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { invalidArgument } from "#errdefs";
import type { PullProgress } from "#images";
import { toMessage } from "../codec/plain.ts";
import {
  HistoryEntrySchema,
  Images,
  ImageSummarySchema,
  LoadResponseSchema,
  PullResponseSchema,
  PushResponseSchema,
  SaveResponseSchema,
  type LoadRequest,
  type SaveResponse,
} from "../gen/sampan/v1/images_pb.ts";
import type { ApiContext } from "./context.ts";
import { clientCredentials } from "./credentials.ts";
import { Handoff } from "../codec/handoff.ts";
import { withProgress } from "./progress.ts";

/** Bytes of an archive that wait for a slow client. */
const maxWaiting = 1024 * 1024;

export function imagesService({ engine }: ApiContext): ServiceImpl<typeof Images> {
  return {
    async *pull({ reference, platform, allPlatforms, credentials }, { signal }) {
      const own = clientCredentials(reference, credentials);
      const steps = withProgress((onProgress) =>
        engine.pull(reference, { platform, allPlatforms, onProgress, signal, ...own }),
      );
      for await (const { progress, result } of steps) {
        if (progress !== undefined) yield create(PullResponseSchema, step(progress));
        else {
          const { name, id, target, changed } = result;
          yield create(PullResponseSchema, { message: { case: "image", value: { name, id, target, changed } } });
        }
      }
    },

    async *push({ reference, platform, allPlatforms, referrers, credentials }, { signal }) {
      const own = clientCredentials(reference, credentials);
      const steps = withProgress((onProgress) =>
        engine.push(reference, { platform, allPlatforms, referrers, onProgress, signal, ...own }),
      );
      for await (const { progress, result } of steps)
        yield create(
          PushResponseSchema,
          progress === undefined ? { message: { case: "image", value: result } } : step(progress),
        );
    },

    list({ filters }) {
      return { images: engine.images(filters).map((image) => toMessage(ImageSummarySchema, image)) };
    },

    inspect({ image, platform }) {
      return { details: JSON.parse(JSON.stringify(engine.inspectImage(image, platform))) };
    },

    history({ image }) {
      return { entries: engine.imageHistory(image).map((entry) => toMessage(HistoryEntrySchema, entry)) };
    },

    tag({ image, name }) {
      engine.tagImage(image, name);
      return {};
    },

    async remove({ image, force }) {
      const { untagged, deleted } = await engine.removeImage(image, { force });
      return { untagged: [...untagged], deleted: [...deleted] };
    },

    async *save({ images, platform }, { signal }) {
      if (images.length === 0) throw invalidArgument("Cannot save images: none is named");
      const output = new Handoff<SaveResponse>(maxWaiting);
      const write = async (data: Uint8Array): Promise<void> => {
        signal.throwIfAborted();
        await output.put(create(SaveResponseSchema, { message: { case: "data", value: data } }), data.length);
      };
      const onProgress = (progress: PullProgress): void =>
        void output.put(create(SaveResponseSchema, step(progress)), 0);
      engine.saveImages(images, write, { platform, onProgress, signal }).then(
        () => output.end(),
        (error: unknown) => output.fail(error),
      );
      yield* output;
    },

    async *load(requests, { signal }) {
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      const open = first.done === true ? undefined : first.value.message;
      if (open?.case !== "open") throw invalidArgument("Cannot load images: the first message is not the options");
      const { platform } = open.value;
      const steps = withProgress((onProgress) =>
        engine.loadImages(archiveData(messages), { platform, onProgress, signal }),
      );
      for await (const { progress, result } of steps) {
        if (progress !== undefined) yield create(LoadResponseSchema, step(progress));
        else {
          const images = result.map(({ names, id }) => ({ names: [...names], id }));
          yield create(LoadResponseSchema, { message: { case: "images", value: { images } } });
        }
      }
    },
  };
}

/** What progress is in every response. */
function step({ digest, status, current, total }: PullProgress) {
  return { message: { case: "progress", value: { digest, status, current, total } } } as const;
}

async function* archiveData(messages: AsyncIterator<LoadRequest>): AsyncGenerator<Uint8Array, void, void> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { message } = next.value;
    if (message.case !== "data") throw invalidArgument("Cannot load images: a message carries no data");
    yield message.value;
  }
}
