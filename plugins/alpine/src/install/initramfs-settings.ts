/** mkinitfs's features (mkinitfs.conf(5)) for any controller that a machine may have its disk on; those it knows are taken. */
export const FEATURES = [
  'ata',
  'base',
  'cdrom',
  'ext4',
  'keymap',
  'kms',
  'mmc',
  'nvme',
  'raid',
  'scsi',
  'usb',
  'virtio',
] as const

/** A feature of c2m's own, since mkinitfs has none for Hyper-V and Xen: a file of globs in /etc/mkinitfs/features.d. */
export const MACHINE_FEATURE = 'c2m'
export const MACHINE_MODULES = [
  'kernel/drivers/hv',
  'kernel/drivers/block/xen-blkfront.ko*',
  'kernel/drivers/xen/xenfs',
  'kernel/drivers/hid/hid-hyperv.ko*',
  'kernel/drivers/input/serio/hyperv-keyboard.ko*',
  '',
].join('\n')
