import type { DiskFormat } from '@c2m/plugin-api'
import { extname } from 'node:path'

const EXTENSIONS: Readonly<Record<string, DiskFormat>> = {
  '.img': 'raw',
  '.raw': 'raw',
  '.qcow2': 'qcow2',
  '.vdi': 'vdi',
  '.vmdk': 'vmdk',
  '.vhd': 'vhd',
  '.vpc': 'vhd',
  '.vhdx': 'vhdx',
}

/** The format that a file name's extension stands for; case does not matter. */
export function formatForFile(name: string): DiskFormat | undefined {
  return EXTENSIONS[extname(name).toLowerCase()]
}

/** QEMU's name of a format (its block drivers' names). */
export function qemuFormat(format: DiskFormat): string {
  return format === 'vhd' ? 'vpc' : format
}
