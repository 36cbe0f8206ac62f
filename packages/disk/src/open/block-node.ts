import { qemuFormat } from '../format/formats.js'
import type { ChainImage } from './chain.js'

/**
 * QEMU's description of a chain (qemu(1), -blockdev): a driver for every file, and the backing files by path, so that
 * QEMU neither guesses a format nor follows a name that an image holds. A VMDK's extents are the exception: QEMU finds
 * them by the descriptor's plain names beside it.
 */
export function blockNode(images: readonly ChainImage[]): object | null {
  const [image, ...rest] = images
  if (image === undefined) return null
  return {
    driver: qemuFormat(image.format),
    file: { driver: 'file', filename: image.path },
    // null: none, whatever the image says
    backing: blockNode(rest),
    // the size that the footer says, as Hyper-V and VirtualBox read it, not what cylinders and heads come to
    ...(image.format === 'vhd' ? { force_size_calc: 'current_size' } : {}),
  }
}
