/** `runtime.v1`, the interface by which a kubelet drives a container runtime. */
export {};
