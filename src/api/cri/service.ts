import type { ServiceImpl } from "@connectrpc/connect";
import type { ImageService } from "./gen/runtime/v1/images_pb.ts";
import type { RuntimeService } from "./gen/runtime/v1/runtime_pb.ts";

/** Some of the calls of the runtime service. */
export type RuntimePart = Partial<ServiceImpl<typeof RuntimeService>>;

/** Some of the calls of the image service. */
export type ImagePart = Partial<ServiceImpl<typeof ImageService>>;
