import type { Firmware } from '@c2m/plugin-debian'

/** linux-image-generic depends on linux-firmware, and in later releases on the microcode; here they are named for all. */
export const FIRMWARE: readonly Firmware[] = [
  {
    what: 'the firmware of network, storage and graphics cards',
    packages: ['linux-firmware'],
    components: ['main'],
  },
  {
    what: "the processor's microcode",
    packages: ['amd64-microcode', 'intel-microcode'],
    components: ['main'],
    architectures: ['amd64', '386'],
  },
]
