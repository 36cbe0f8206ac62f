import { describe, expect, it } from 'vitest'
import { writeSwap } from './writer.js'

const uuid = '0b5c3fa2-1d4e-4f60-8a7b-9c8d7e6f5a4b'

describe('writeSwap', () => {
  it('refuses what a swap area cannot have', async () => {
    const target = (size: number) => ({ size, write: async () => undefined })
    await expect(writeSwap(target(9 * 4096), { uuid })).rejects.toMatchObject({ code: 'C2M_SWAP_SIZE' })
    await expect(writeSwap(target(2 ** 45), { uuid })).rejects.toMatchObject({ code: 'C2M_SWAP_SIZE' })
    await expect(writeSwap(target(2 ** 20), { uuid: 'x' })).rejects.toMatchObject({ code: 'C2M_SWAP_UUID' })
    await expect(writeSwap(target(2 ** 20), { uuid, label: 'ä'.repeat(8) })).rejects.toMatchObject({
      code: 'C2M_SWAP_LABEL',
    })
    await writeSwap(target(10 * 4096), { uuid, label: 'x'.repeat(15) })
  })
})
