import { silentReporter } from '@c2m/process'
import type { NewImage, NewLayer } from '../write/new-image.js'

export function layerOf(tar: Uint8Array, createdBy = 'tests'): NewLayer {
  return {
    createdBy,
    async *tar() {
      for (let at = 0; at < tar.length; at += 256 * 1024) yield tar.subarray(at, at + 256 * 1024)
    },
  }
}

export function imageOf(layers: readonly (Uint8Array | NewLayer)[], rest: Partial<NewImage> = {}): NewImage {
  return {
    layers: layers.map((layer) => (layer instanceof Uint8Array ? layerOf(layer) : layer)),
    architecture: 'amd64',
    os: 'linux',
    created: '2024-05-01T12:00:00Z',
    config: { env: [], entrypoint: [], cmd: ['/bin/sh'], exposedPorts: [], labels: {} },
    ...rest,
  }
}

/** Gives some of a tar, then does as told. */
export function interruptedLayer(tar: Uint8Array, then: () => void): NewLayer {
  return {
    createdBy: 'tests',
    async *tar() {
      yield tar.subarray(0, tar.length >> 1)
      then()
      yield tar.subarray(tar.length >> 1)
    },
  }
}

/** A reporter that keeps warnings. */
export function warnings() {
  const said: string[] = []
  return { said, reporter: { ...silentReporter, warn: (message: string) => said.push(message) } }
}
