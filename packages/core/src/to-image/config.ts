import type { ImageConfig } from '@c2m/plugin-api'
import type { Known } from './findings.js'
import type { ChosenProcess } from './process.js'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Keys of the OCI image specification (annotations.md, "Pre-Defined Annotation Keys"). */
export function annotations(name: string, created: string, { os }: Known): Record<string, string> {
  return {
    'org.opencontainers.image.created': created,
    'org.opencontainers.image.title': name,
    'org.opencontainers.image.description': `${os?.prettyName ?? 'a Linux machine'}, made an image by c2m`,
  }
}

/** The image's configuration: the process, its ports, labels. */
export function imageConfig({ process, ports }: ChosenProcess, labels: Record<string, string>): ImageConfig {
  const env = Object.entries(process.env ?? {}).map(([name, value]) => `${name}=${value}`)
  return {
    env: env.some((line) => line.startsWith('PATH=')) ? env : [PATH, ...env],
    entrypoint: process.entrypoint,
    cmd: process.cmd ?? [],
    exposedPorts: ports,
    labels,
    ...(process.user === undefined ? {} : { user: process.user }),
    ...(process.workingDir === undefined ? {} : { workingDir: process.workingDir }),
    ...(process.stopSignal === undefined ? {} : { stopSignal: process.stopSignal }),
  }
}
