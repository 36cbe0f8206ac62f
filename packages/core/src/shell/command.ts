import type { ImageConfig, Rootfs } from '@c2m/plugin-api'
import { usageError } from '@c2m/process'
import { GUEST_PATH } from '@c2m/sandbox'

const SHELLS = /^(?:ba|da|a|z|k|fi)?sh$/

/**
 * The given command, without the image's entrypoint: somebody wants to look around. Without one it is a shell: the one
 * that the image starts by itself, else /bin/sh.
 * @throws C2M_SHELL_NONE (usage)
 */
export async function commandOf(
  given: readonly string[],
  { entrypoint, cmd }: ImageConfig,
  rootfs: Rootfs,
): Promise<readonly string[]> {
  if (given.length > 0) return given
  const program = cmd[0]?.replace(/^.*\//, '') ?? ''
  if (entrypoint.length === 0 && SHELLS.test(program)) return cmd
  if ((await rootfs.resolve('bin/sh')) !== undefined) return ['/bin/sh']
  throw usageError(
    'C2M_SHELL_NONE',
    'the image has no /bin/sh',
    'give a command that it has: c2m shell IMAGE -- /path/of/program',
  )
}

/** What the command sees: defaults, the image's own variables, and the given ones last. */
export function environmentOf(
  config: ImageConfig,
  given: Readonly<Record<string, string>>,
  more: { readonly home: string; readonly terminal?: string },
): Record<string, string> {
  const own = config.env.map((line) => {
    const at = line.indexOf('=')
    return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
  })
  return {
    PATH: GUEST_PATH,
    HOME: more.home,
    HOSTNAME: 'localhost',
    ...(more.terminal === undefined ? {} : { TERM: more.terminal }),
    ...(Object.fromEntries(own) as Record<string, string>),
    ...given,
  }
}

/** An absolute path in the image. @throws C2M_SHELL_DIRECTORY (usage) */
export async function directoryOf(path: string, rootfs: Rootfs): Promise<string> {
  const wrong = (because: string) =>
    usageError('C2M_SHELL_DIRECTORY', `'${path}' is no working directory: ${because}`, 'choose one with --workdir')
  if (path.split('/').includes('..') || /[\n\0]/.test(path)) throw wrong("it must be a path without '..'")
  const found = await rootfs.resolve(path.replace(/^\/+/, ''))
  if (found !== undefined && (await rootfs.stat(found))?.type !== 'directory')
    throw wrong('the image has something else there')
  return path.startsWith('/') ? path : `/${path}`
}
