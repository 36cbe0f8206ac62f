import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf, temporary } from '../testing/layout.js'
import { warnings } from '../testing/new-image.js'
import { cachedBlob, openStore } from './store.js'

const good = Buffer.from('good content')
const digest = digestOf(good)

async function* once(bytes: Uint8Array) {
  yield bytes
}

describe('a large blob in the cache', () => {
  it.each([
    ['of the same size', Buffer.from('evil content')],
    ['of another size', Buffer.from('')],
  ])('is fetched again when it is damaged, %s', async (_what, bad) => {
    await using folder = await temporary()
    await using store = await openStore(join(folder.path, 'cache'))
    const path = store.blobPath(digest)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bad)
    const { said, reporter } = warnings()
    let fetched = 0
    const read = async () => {
      const fetch = () => {
        fetched++
        return once(good)
      }
      const chunks: Uint8Array[] = []
      const context = { origin: 'a registry', reporter, signal: undefined }
      for await (const chunk of cachedBlob(store, { digest, size: good.length }, fetch, context)) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    }
    expect(await read()).toBe('good content')
    expect(await read()).toBe('good content')
    expect(fetched).toBe(1)
    expect(said).toEqual([`the cached blob ${digest} is damaged; fetching it again`])
    expect(await readFile(path, 'utf8')).toBe('good content')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
  })
})
