import { familiarName, parseDestination, type WrittenImage } from '@c2m/image'
import type { VmToContainerRequest } from '../request/vm-to-container.js'
import type { ChosenProcess } from './process.js'

/** What a container that does what the machine did is started with; where the image is already, that comes next. */
export function commands(
  { output, tags }: VmToContainerRequest,
  { ports, runArguments, process }: ChosenProcess,
  { nextCommand }: WrittenImage,
): { nextCommand: string; runCommand?: string } {
  const destination = parseDestination(output)
  const own = 'image' in destination ? destination.image : 'name' in destination ? destination.name : undefined
  const name = own === undefined ? tags[0] : familiarName(own)
  if (name === undefined) return { nextCommand }
  const publish = ports.flatMap((port) => ['-p', `${port.split('/')[0]}:${port}`])
  const runs = process.entrypoint.length + (process.cmd ?? []).length > 0
  const words = ['docker run --rm', ...runArguments, ...publish, name, ...(runs ? [] : ['/bin/sh'])]
  const runCommand = words.join(' ')
  return { nextCommand: 'image' in destination ? runCommand : nextCommand, runCommand }
}
