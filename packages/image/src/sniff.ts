import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { C2mError, errno, fileError, usageError } from '@c2m/process'
import { openMembers, seekableTar, type ArchiveContext, type SeekableTar } from './archive/archive.js'
import type { ImageChoice } from './reference/reference.js'
import { isRegistryName } from './reference/registry-name.js'

/** What lies at a path that was given without a transport. */
export type Sniffed =
  | { readonly kind: 'oci'; readonly path: string; readonly choice: ImageChoice }
  | { readonly kind: 'dir'; readonly path: string }
  | {
      readonly kind: 'oci-archive' | 'docker-archive' | 'tarball'
      readonly path: string
      readonly choice: ImageChoice
      readonly tar: SeekableTar
    }

/**
 * Looks at a path: an OCI layout, a docker or OCI archive, a root tar, a root directory. `./layout:tag` names an image
 * in a layout when there is no file of that very name.
 * @throws C2M_IMAGE_REFERENCE when a directory holds neither, and may be there by chance; C2M_FILE_ENOENT and its like; C2M_IMAGE_NOT_FOUND; C2M_IMAGE_ARCHIVE; C2M_TAR_…
 */
export async function sniffPath(text: string, context: ArchiveContext): Promise<Sniffed> {
  const { path, choice } = await existingPath(text)
  const found = await stat(path).catch((error: unknown) => {
    throw errno(error) === 'ENOENT' && isRegistryName(text) ? noSuchFile(text, error) : fileError(error, path, 'read')
  })
  if (found.isDirectory()) {
    if (isRegistryName(text) && !(await isImage(path))) throw ambiguous(text)
    return sniffDirectory(path, choice)
  }
  if (found.isFile()) return sniffFile(path, choice, context)
  throw new C2mError('C2M_IMAGE_NOT_FOUND', `${path} is neither a file nor a directory`, {
    hint: 'name an archive or a folder',
  })
}

async function existingPath(text: string): Promise<{ path: string; choice: ImageChoice }> {
  if (await exists(text)) return { path: text, choice: {} }
  const colon = text.lastIndexOf(':')
  const path = text.slice(0, Math.max(colon, 0))
  if (colon > 0 && (await exists(path))) return { path, choice: { tag: text.slice(colon + 1) } }
  return { path: text, choice: {} }
}

async function sniffDirectory(path: string, choice: ImageChoice): Promise<Sniffed> {
  if ((await exists(join(path, 'oci-layout'))) && (await exists(join(path, 'index.json'))))
    return { kind: 'oci', path, choice }
  if ((await exists(join(path, 'manifest.json'))) && (await exists(join(path, 'version')))) {
    throw new C2mError('C2M_IMAGE_NOT_FOUND', `${path} is in skopeo's directory format, which c2m does not read`, {
      hint: `convert it: skopeo copy dir:${path} oci:${path}.oci`,
    })
  }
  return { kind: 'dir', path }
}

async function sniffFile(path: string, choice: ImageChoice, context: ArchiveContext): Promise<Sniffed> {
  const tar = await seekableTar(path, context)
  await using members = await openMembers(tar.path, context.signal)
  const has = async (name: string) => (await members.stat(name))?.type === 'file'
  // since Docker 25 `docker save` writes both; only manifest.json has the full names
  const kind =
    choice.tag === undefined && (await has('manifest.json')) && !(await has('etc/passwd'))
      ? 'docker-archive'
      : (await has('oci-layout')) && (await has('index.json'))
        ? 'oci-archive'
        : 'tarball'
  return { kind, path, tar, choice }
}

/** An image in a layout, or what every root file system has. */
async function isImage(path: string): Promise<boolean> {
  for (const name of ['oci-layout', 'manifest.json', 'etc', 'usr', 'bin'])
    if (await exists(join(path, name))) return true
  return false
}

function noSuchFile(text: string, cause: unknown): C2mError {
  return new C2mError('C2M_FILE_ENOENT', `cannot read ${text}: no such file or directory`, {
    hint: `check the spelling of the path; an image of that name is docker://${text}, or docker-daemon:${text}`,
    cause,
  })
}

function ambiguous(text: string): C2mError {
  return usageError(
    'C2M_IMAGE_REFERENCE',
    `'${text}' is a directory here that holds neither an image nor a root file system`,
    `write docker://${text} for the image of that name, or dir:${text} for the directory`,
  )
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
