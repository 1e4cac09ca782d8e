/** The Debian packages that the tests and the benchmark use. */

export interface DebianPackage {
  readonly name: string;
  /** What it is for; printed where it is missing. */
  readonly purpose: string;
}

/** Without these the unit tests do not run. */
export const buildPackages: readonly DebianPackage[] = [
  { name: "gcc", purpose: "compiles keel, and its sanitizers' libraries come with it" },
  { name: "libc6-dev", purpose: "the static C library that keel is linked with" },
  { name: "make", purpose: "builds keel" },
];

/** Without these the system tests do not run. */
export const systemPackages: readonly DebianPackage[] = [
  { name: "attr", purpose: "setfattr and getfattr: extended attributes in images and containers" },
  { name: "bind9-dnsutils", purpose: "dig: names as a client asks for them" },
  { name: "buildah", purpose: "an engine that calls the OCI runtime" },
  { name: "busybox-static", purpose: "the small test images, and the test machine's userland" },
  { name: "containerd", purpose: "containerd and ctr: an engine that calls the OCI runtime" },
  { name: "curl", purpose: "a client for what runs in containers" },
  { name: "dnsmasq-base", purpose: "the name server of test hosts' outside world" },
  { name: "docker-registry", purpose: "the registry that images are pulled from" },
  { name: "e2fsprogs", purpose: "mke2fs: the virtual machine's disks" },
  { name: "gcc-aarch64-linux-gnu", purpose: "compiles keel for arm64" },
  { name: "iproute2", purpose: "ip: loopback and interfaces of test hosts" },
  { name: "iputils-ping", purpose: "ping: who reaches whom" },
  { name: "libarchive-tools", purpose: "bsdtar: another reader of archives" },
  { name: "libc6-dev-arm64-cross", purpose: "the static C library of keel for arm64" },
  { name: "libcap2-bin", purpose: "setcap, getpcaps, capsh: file and process capabilities" },
  { name: "libseccomp-dev", purpose: "the peer that the compiler of system call filters is compared with" },
  { name: "mmdebstrap", purpose: "the Debian userland of the larger test images" },
  { name: "nftables", purpose: "nft: the packet filter as an operator sees it" },
  { name: "openssl", purpose: "certificates of registries and of the daemon" },
  { name: "podman", purpose: "an engine that calls the OCI runtime" },
  { name: "procps", purpose: "ps: processes as an operator sees them" },
  { name: "python3", purpose: "receivers of descriptors, and users of the library of C" },
  { name: "qemu-system-x86", purpose: "the virtual machine for cgroup v2" },
  { name: "qemu-user-static", purpose: "runs what there is to see of keel for arm64" },
  { name: "redis-tools", purpose: "redis-cli: speaks to the redis-server in a container" },
  { name: "runsc", purpose: "a runtime that containers are made by" },
  { name: "skopeo", purpose: "copies images into the registry" },
  { name: "socat", purpose: "TCP and UDP servers and clients, with addresses of their own" },
  { name: "umoci", purpose: "makes the layers of the test images" },
];

/** What the benchmark measures side by side with Sampan; what is missing is skipped. */
export const peerPackages: readonly DebianPackage[] = [
  { name: "crun", purpose: "crun" },
  { name: "runc", purpose: "runc" },
];
