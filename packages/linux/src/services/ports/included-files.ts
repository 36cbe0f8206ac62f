import type { ConfigurationReader } from '../../files/configuration-reader.js'

const MOST_FILES = 500

/**
 * Reads configuration files that include others: each once, in the order of reading, 500 at most.
 * @param read gives the patterns of what a file's text includes, absolute paths
 */
export async function readIncluding(
  reader: ConfigurationReader,
  first: readonly string[],
  read: (text: string, path: string) => readonly string[],
): Promise<void> {
  const seen = new Set<string>()
  const waiting = first.toReversed()
  for (let pattern = waiting.pop(); pattern !== undefined; pattern = waiting.pop()) {
    for (const path of await reader.matching(pattern)) {
      if (seen.has(path) || seen.size >= MOST_FILES) continue
      seen.add(path)
      const text = await reader.text(path)
      for (const next of text === undefined ? [] : read(text, path).toReversed()) waiting.push(next)
    }
  }
}

/** A path in a configuration file, relative to a folder unless it is absolute. */
export function pathFrom(folder: string, path: string): string {
  return path.startsWith('/') ? path : `${folder}/${path}`
}
