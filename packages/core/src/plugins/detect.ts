import { findOsRelease, parseOsRelease } from '@c2m/linux'
import type { DistroPlugin, Match, OsRelease, Rootfs } from '@c2m/plugin-api'
import { C2mError, ExitCode, type Reporter } from '@c2m/process'
import type { PluginRegistry, Provided } from './registry.js'

export interface Detected {
  readonly distro: Provided<DistroPlugin>
  readonly match: Match
}

/**
 * The distro plugin that is nearest to what the tree's os-release says, or to what is in a tree that has none; ties go to
 * the first by package name.
 * A plugin whose detect throws is named and passed over.
 * @throws C2M_DISTRO_UNKNOWN
 */
export async function detectDistro(rootfs: Rootfs, registry: PluginRegistry, reporter: Reporter): Promise<Detected> {
  const stated = await findOsRelease(rootfs)
  const os = stated ?? parseOsRelease('')
  const candidates: Detected[] = []
  for (const distro of registry.distros()) {
    try {
      const match = await distro.contribution.detect(os, rootfs)
      if (match !== undefined) candidates.push({ distro, match })
    } catch (error) {
      reporter.warn(`plugin ${distro.packageName}: detect failed: ${(error as Error).message}`)
    }
  }
  const nearest = Math.min(...candidates.map(({ match }) => match.distance))
  const found = candidates.find(({ match }) => match.distance === nearest)
  if (found !== undefined) return found
  if (stated === undefined) throw unknown(registry, 'the image has no /etc/os-release, so its distribution is unknown')
  throw unknown(registry, `no plugin knows the image's distribution, ${os.prettyName} (ID=${os.id})`)
}

/** The distro that the user named, whatever the image says. */
export async function chosenDistro(id: string, rootfs: Rootfs, registry: PluginRegistry): Promise<Detected> {
  const distro = registry.distro(id)
  const os = (await findOsRelease(rootfs)) ?? nameless(id)
  const match = await distro.contribution.detect(os, rootfs)
  return { distro, match: match ?? { distance: 0, os } }
}

function nameless(id: string): OsRelease {
  return { id, idLike: [], prettyName: id, fields: new Map() }
}

function unknown(registry: PluginRegistry, message: string): C2mError {
  const ids = registry.distros().map(({ contribution }) => contribution.id)
  return new C2mError('C2M_DISTRO_UNKNOWN', message, {
    hint: `supported: ${ids.join(', ') || 'none'} and what says it is like them; name one with --distro, or add a plugin with c2m plugins install`,
    exitCode: ExitCode.failed,
  })
}
