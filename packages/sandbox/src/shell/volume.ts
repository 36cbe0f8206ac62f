import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Rootfs } from '@c2m/plugin-api'
import { C2mError, ExitCode, fileError, type Reporter } from '@c2m/process'
import { settle } from '../guest/temporary-file.js'

/** A file or folder of the host that is seen in the tree. */
export interface Volume {
  /** On the host; relative to the working directory. */
  readonly source: string
  /** Absolute, in the image. */
  readonly target: string
  readonly readOnly: boolean
}

/** A volume whose place in the tree holds no symlink. */
export interface PlacedVolume {
  /** Absolute, without symlinks. */
  readonly source: string
  /** Relative to the tree's root. */
  readonly place: string
  readonly readOnly: boolean
}

/**
 * Finds the source on the host and the place in the tree: symlinks of the image are resolved inside its root.
 * @throws C2M_VOLUME (usage), C2M_FILE_…
 */
export async function placeVolume({ source, target, readOnly }: Volume, base: Rootfs): Promise<PlacedVolume> {
  if (!target.startsWith('/') || target.split('/').includes('..') || /[\n\0]/.test(target))
    throw badVolume(target, "the place in the image must be an absolute path without '..'")
  const place = await settle(base, target)
  if (place === '') throw badVolume(target, 'nothing can be mounted over the root of the image')
  if (/^(?:proc|sys|dev)(?:\/|$)/.test(place)) throw badVolume(target, 'the kernel has its own file system there')
  const path = await realpath(resolve(source)).catch((error: unknown) => {
    throw fileError(error, source, 'mount')
  })
  return { source: path, place, readOnly }
}

/**
 * Says what a user who expects his own rights there would wonder at: in the sandbox all files of the host belong to
 * nobody, and everybody's permissions count.
 */
export async function warnOfVolume({ source, readOnly }: PlacedVolume, reporter: Reporter): Promise<void> {
  const found = await stat(source)
  const [reads, writes] = found.isDirectory() ? [0o5, 0o2] : [0o4, 0o2]
  const others = found.mode & 0o7
  if ((others & reads) !== reads) {
    reporter.warn(`${source} cannot be read in the sandbox, whose ids are nobody's on this host: chmod o+rX allows it`)
  } else if (!readOnly && (others & writes) === 0) {
    reporter.info(`${source} can be read in the sandbox, not written: its ids are nobody's on this host (chmod o+w)`)
  }
}

function badVolume(target: string, because: string): C2mError {
  return new C2mError('C2M_VOLUME', `'${target}' is no place for a volume: ${because}`, {
    hint: 'write SOURCE:TARGET or SOURCE:TARGET:ro, e.g. ./data:/data:ro',
    exitCode: ExitCode.usage,
  })
}
