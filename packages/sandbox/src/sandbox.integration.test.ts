import { describe } from 'vitest'
import { checkSandbox } from './namespace/check.js'
import { sandboxSuite } from './testing/suite.js'
import { busybox } from './testing/tree.js'

const program = await busybox()
if (program === undefined)
  console.warn('SKIPPED: the sandbox tests need a static busybox: apt-get install busybox-static')

for (const mode of ['userns', 'root'] as const) {
  const verdict = await checkSandbox(mode)
  if (!verdict.ok) console.warn(`SKIPPED: sandbox mode ${mode}: ${verdict.because} (${verdict.hint})`)
  describe.skipIf(!verdict.ok || program === undefined)(`a sandbox of mode ${mode}`, () => sandboxSuite(mode, program!))
}
