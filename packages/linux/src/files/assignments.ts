import type { ByteString } from './write.js'

/** Sets KEY=value lines of a file of shell assignments such as /etc/default/locale; other lines stay. */
export function setAssignments(text: ByteString, values: Readonly<Record<string, string>>): ByteString {
  const kept = text.split('\n').filter((line) => line !== '' && !Object.hasOwn(values, line.split('=')[0] ?? ''))
  const set = Object.entries(values).map(([key, value]) => `${key}=${value}`)
  return `${[...kept, ...set].join('\n')}\n`
}
