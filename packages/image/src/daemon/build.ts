import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { C2mError, ExitCode, findTool, run, type Reporter } from '@c2m/process'
import type { ImageStore } from '../store/store.js'
import { findEngine, type Engine } from './engine.js'

export interface BuildContext {
  readonly store: ImageStore
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** Where the built image is. */
export type BuiltImage =
  | { readonly kind: 'daemon'; readonly engine: Engine; readonly id: string }
  | { readonly kind: 'oci-archive'; readonly path: string }

/**
 * Builds a folder with a Dockerfile (or Containerfile) by what is installed: docker with a daemon that answers, else
 * buildah, else podman. The built image stays in the builder's own store, as with a build by hand.
 * @param platform passed on when the user asked for one
 * @throws C2M_IMAGE_NOT_FOUND; C2M_TOOL_MISSING; C2M_COMMAND_FAILED; C2M_INTERRUPTED
 */
export async function buildImage(
  folder: string,
  platform: string | undefined,
  context: BuildContext,
): Promise<BuiltImage> {
  const dockerfile = await findDockerfile(folder)
  const { env, reporter, signal } = context
  const idFile = join(context.store.temporary, 'image-id')
  const options = { env, signal, onLine: (line: string) => reporter.detail(line) }
  const build = [
    '--iidfile',
    idFile,
    '--file',
    dockerfile,
    ...(platform === undefined ? [] : ['--platform', platform]),
    folder,
  ]

  const docker = await findTool('docker')
  const engine = docker === undefined ? undefined : await findEngine(env, signal)
  if (docker !== undefined && engine !== undefined) {
    await run(docker, ['build', ...build], { ...options, env: { ...env, DOCKER_HOST: engine.address } })
    return { kind: 'daemon', engine, id: await readId(idFile) }
  }
  const builder = (await findTool('buildah')) ?? (await findTool('podman'))
  if (builder === undefined) {
    throw new C2mError('C2M_TOOL_MISSING', `building ${folder} needs docker with a running daemon, buildah or podman`, {
      hint: 'install one: apt-get install buildah',
      exitCode: ExitCode.missing,
    })
  }
  const path = join(context.store.temporary, 'built.tar')
  await run(builder, ['build', ...build], options)
  await run(builder, ['push', await readId(idFile), `oci-archive:${path}`], options)
  return { kind: 'oci-archive', path }
}

async function findDockerfile(folder: string): Promise<string> {
  for (const name of ['Dockerfile', 'Containerfile']) {
    const path = join(folder, name)
    if (
      await stat(path).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return path
  }
  throw new C2mError('C2M_IMAGE_NOT_FOUND', `${folder} has no Dockerfile`, { hint: 'name the folder that has it' })
}

async function readId(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim()
}
