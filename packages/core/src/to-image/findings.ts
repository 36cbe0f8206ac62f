import { architectureOf, findOsRelease, linuxFindings } from '@c2m/linux'
import type { MachineFindings, OsRelease, Rootfs } from '@c2m/plugin-api'
import { isC2mError, type Reporter } from '@c2m/process'
import { chosenDistro, detectDistro, type Detected } from '../plugins/detect.js'
import type { PluginRegistry } from '../plugins/registry.js'

/** What is known of a machine's tree before anything is decided. */
export interface Known {
  readonly os?: OsRelease
  /** The plugin that knows its distribution; undefined: what holds for every Linux is known. */
  readonly distro?: { readonly id: string; readonly plugin: string }
  /** GOARCH. */
  readonly architecture: string
  readonly findings: MachineFindings
}

/**
 * Asks the distro's plugin; without one, or when it does not know the way to an image, what holds for every Linux is found.
 * @param asked the distro that the user named
 * @param excludeSecrets what is found of services has no variables that are secrets
 */
export async function know(
  rootfs: Rootfs,
  asked: string | undefined,
  registry: PluginRegistry,
  reporter: Reporter,
  excludeSecrets = false,
): Promise<Known> {
  const warn = (message: string) => reporter.warn(message)
  const architecture = await architectureOf(rootfs)
  if (architecture === undefined) warn('no program tells the processor architecture; the image is marked as amd64')
  const task = { rootfs, warn, architecture: architecture ?? 'amd64', boot: registry.traces(), excludeSecrets }
  const os = await findOsRelease(rootfs).catch(() => undefined)
  const detected = await detect(rootfs, asked, registry, reporter)
  const known = { ...(os === undefined ? {} : { os }), architecture: task.architecture }
  const plugin = detected?.distro.contribution
  if (detected === undefined || plugin?.toImage === undefined) {
    reporter.info(`no plugin knows ${os?.prettyName ?? 'this machine'}; what holds for every Linux is done`)
    return { ...known, findings: await linuxFindings(task) }
  }
  const findings = await plugin.toImage({ ...task, match: detected.match })
  return { ...known, distro: { id: plugin.id, plugin: detected.distro.packageName }, findings }
}

async function detect(
  rootfs: Rootfs,
  asked: string | undefined,
  registry: PluginRegistry,
  reporter: Reporter,
): Promise<Detected | undefined> {
  if (asked !== undefined) return chosenDistro(asked, rootfs, registry)
  return detectDistro(rootfs, registry, reporter).catch((error: unknown) => {
    if (isC2mError(error) && error.code === 'C2M_DISTRO_UNKNOWN') return undefined
    throw error
  })
}
