import { join } from 'node:path'
import { outputFile, refuseSameFile, requireTool } from '@c2m/process'
import { requireEngine } from '../daemon/engine.js'
import { chooseCompression } from './compression.js'
import { parseDestination, parseTags } from './destination.js'
import { DOCKERFILE_NAMES, dockerfileFolder } from './dockerfile-folder.js'
import type { WriteImageOptions } from './new-image.js'
import { readLayout } from './oci-layout.js'
import { outputFolder } from './output-folder.js'
import { checkStandardOutput } from './standard-output.js'

/**
 * What `writeImage` would say of the destination and the options, before the work for an image is done. A registry is not
 * asked.
 * @param inputs files that the image is made of, which it never replaces; asked for only when it would replace any
 * @throws C2M_IMAGE_REFERENCE, C2M_IMAGE_DESTINATION, C2M_IMAGE_NEW, C2M_OUTPUT_… (usage), C2M_FILE_…, C2M_DAEMON_…,
 *   C2M_TOOL_MISSING
 */
export async function checkDestination(
  destination: string,
  options: WriteImageOptions,
  inputs: () => Promise<readonly (string | undefined)[]> = () => Promise.resolve([]),
): Promise<void> {
  const { force, tags = [], env = process.env, signal, stdout = process.stdout } = options
  const target = parseDestination(destination)
  parseTags(tags)
  if (chooseCompression(target, options) === 'zstd') await requireTool('zstd', 'compressing with zstd', 'zstd')
  switch (target.transport) {
    case 'docker-archive':
    case 'oci-archive':
    case 'tarball': {
      if (target.path === '-') return checkStandardOutput(stdout)
      await refuseSameFile(target.path, inputs)
      const file = await outputFile(target.path, { force })
      return file[Symbol.asyncDispose]()
    }
    case 'oci': {
      await using folder = await outputFolder(target.path, true)
      if (folder.exists) await readLayout(target.path)
      return
    }
    case 'dockerfile': {
      for (const name of DOCKERFILE_NAMES) await refuseSameFile(join(target.path, name), inputs)
      const folder = await dockerfileFolder(target.path, force)
      return folder[Symbol.asyncDispose]()
    }
    case 'docker-daemon':
      await requireEngine(env, signal)
      return
    case 'docker':
  }
}
