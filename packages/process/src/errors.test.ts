import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { fileError } from './errors.js'

const CODES = ['EIO', 'EFAULT', 'EINVAL', 'ENXIO', 'ELOOP', 'ENAMETOOLONG', 'ENODEV', 'EBUSY', 'ESTALE', 'ETIMEDOUT']

it.each(CODES)('an error %s of a file has its path, what happened, and a hint', (code) => {
  const error = fileError(Object.assign(new Error(`${code}: words, read`), { code }), '/some/file', 'read')
  expect(error).toMatchObject({ code: `C2M_FILE_${code}`, hint: expect.stringMatching(/./) as string })
  expect((error as Error).message).toMatch(/^cannot read \/some\/file: [a-z]/)
})

it.runIf(process.platform === 'linux').each([
  ['/proc/self/mem', 'EIO'],
  [`/${'x'.repeat(300)}`, 'ENAMETOOLONG'],
])('what is wrong with %.20s is an error of its own', async (path, code) => {
  const error = await readFile(path).catch((cause: unknown) => fileError(cause, path, 'read'))
  expect(error).toMatchObject({ code: `C2M_FILE_${code}` })
})

it('an error of the program’s own stays what it is', () => {
  const error = Object.assign(new Error('EBADF: bad file descriptor, read'), { code: 'EBADF' })
  expect(fileError(error, '/some/file', 'read')).toBe(error)
})
