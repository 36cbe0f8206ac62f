import { outputFile } from '@c2m/process'
import { requireEngine } from '../daemon/engine.js'
import { parseDestination } from './destination.js'
import { dockerfileFolder } from './dockerfile-folder.js'
import type { WriteImageOptions } from './new-image.js'
import { readLayout } from './oci-layout.js'
import { outputFolder } from './output-folder.js'
import { checkStandardOutput } from './standard-output.js'

/**
 * What `writeImage` would say of the destination itself, before the work for an image is done. A registry is not asked.
 * @throws C2M_OUTPUT_… (usage), C2M_FILE_…, C2M_DAEMON_…
 */
export async function checkDestination(
  destination: string,
  { force, env = process.env, signal, stdout = process.stdout }: WriteImageOptions,
): Promise<void> {
  const target = parseDestination(destination)
  switch (target.transport) {
    case 'docker-archive':
    case 'oci-archive':
    case 'tarball': {
      if (target.path === '-') return checkStandardOutput(stdout)
      const file = await outputFile(target.path, { force })
      return file[Symbol.asyncDispose]()
    }
    case 'oci': {
      await using folder = await outputFolder(target.path)
      if (folder.exists) await readLayout(target.path)
      return
    }
    case 'dockerfile': {
      const folder = await dockerfileFolder(target.path, force)
      return folder[Symbol.asyncDispose]()
    }
    case 'docker-daemon':
      await requireEngine(env, signal)
      return
    case 'docker':
  }
}
