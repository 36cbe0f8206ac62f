import { stat } from 'node:fs/promises'

/** What --kernel names: a flavour by the distro plugin's names, or the path of a kernel image. */
export interface KernelFlag {
  readonly flavour?: string
  readonly file?: string
}

export async function kernelFlag(value: string | undefined): Promise<KernelFlag> {
  if (value === undefined) return {}
  const isPath = value.includes('/') || (await stat(value).catch(() => undefined))?.isFile() === true
  return isPath ? { file: value } : { flavour: value }
}
