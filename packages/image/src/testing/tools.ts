import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Whether the tools (program: Debian package) are missing; says loudly which. */
export function lacks(what: string, tools: Readonly<Record<string, string>>): boolean {
  const missing = Object.entries(tools).filter(
    ([program]) => !FOLDERS.some((folder) => existsSync(join(folder, program))),
  )
  if (missing.length === 0) return false
  const packages = missing.map(([, name]) => name).join(' ')
  console.warn(`skipped: ${what} need ${missing.map(([program]) => program).join(', ')} (apt-get install ${packages})`)
  return true
}

/** Real images in OCI layout, where they are: $C2M_SHARED/images, or beside the repository. */
export function realLayout(name: string): string | undefined {
  const shared = process.env.C2M_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url))
  const path = join(shared, 'images', name)
  if (existsSync(join(path, 'index.json'))) return path
  console.warn(`skipped: no OCI layout at ${path} (name its folder in C2M_SHARED)`)
  return undefined
}
