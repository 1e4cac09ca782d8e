/** MOUNT_ATTR_* of mount_setattr(2) and fsmount(2), from include/uapi/linux/mount.h. */
export const mountAttribute = {
  readOnly: 0x1n,
  noSuid: 0x2n,
  noDev: 0x4n,
  noExec: 0x8n,
  /** Mask of the three ways to keep access times; relatime is 0. */
  accessTime: 0x70n,
  noAtime: 0x10n,
  strictAtime: 0x20n,
  noDirAtime: 0x80n,
  noSymfollow: 0x20_0000n,
} as const;

/** Propagation of mount(2). */
export const mountPropagation = {
  unbindable: 0x2_0000n,
  private: 0x4_0000n,
  slave: 0x8_0000n,
  shared: 0x10_0000n,
} as const;
