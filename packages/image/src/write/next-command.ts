import { quoteIfNeeded, silentReporter } from '@c2m/process'
import { familiarName, type RegistryName } from '../reference/registry-name.js'
import type { Destination } from './destination.js'
import { configInstructions } from './dockerfile.js'
import type { NewImage } from './new-image.js'

/** A command line for a shell that does something with the image. */
export function nextCommand(destination: Destination, image: NewImage, tags: readonly RegistryName[]): string {
  const tag = tags[0] === undefined ? 'image' : familiarName(tags[0])
  switch (destination.transport) {
    case 'docker-archive':
      return destination.path === '-' ? 'docker load' : words('docker', 'load', '-i', destination.path)
    case 'oci': {
      const ref = destination.ref ?? tags[0]?.tag
      const layout = `oci:${destination.path}${ref === undefined ? '' : `:${ref}`}`
      return words('skopeo', 'copy', layout, `docker-daemon:${tags[0] === undefined ? 'image:latest' : tag}`)
    }
    case 'oci-archive':
      return destination.path === '-' ? 'podman load' : words('podman', 'load', '-i', destination.path)
    case 'docker-daemon':
    case 'docker': {
      const runs = image.config.entrypoint.length + image.config.cmd.length > 0
      return words('docker', 'run', '--rm', '-it', familiarName(destination.image), ...(runs ? [] : ['/bin/sh']))
    }
    case 'dockerfile':
      return words('docker', 'build', '-t', tag, destination.path)
    case 'tarball': {
      const changes = configInstructions(image, silentReporter)
        .filter((line) => !line.startsWith('STOPSIGNAL')) // which `docker import` does not take
        .flatMap((line) => ['--change', line])
      return words('docker', 'import', ...changes, destination.path, tag)
    }
  }
}

function words(...list: readonly string[]): string {
  return list.map(quoteIfNeeded).join(' ')
}
