/** `runtime.v1`, the interface by which a kubelet drives a container runtime. */
export { ImageService } from "./gen/runtime/v1/images_pb.ts";
export { RuntimeService } from "./gen/runtime/v1/runtime_pb.ts";
