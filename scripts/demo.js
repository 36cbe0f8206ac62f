// npm run demo: a real Debian 12 image becomes a disk that boots under BIOS and UEFI.
import { existsSync, mkdirSync } from 'node:fs'
import { root, run, setUp } from './setup.js'

setUp('demo')
const { debianImage } = await import('../packages/testkit/dist/index.js')
const folder = '.work/demo'
mkdirSync(`${root}${folder}`, { recursive: true })

if (!existsSync(`${root}${folder}/debian-12/index.json`)) console.log('Making a Debian 12 image with mmdebstrap …')
await debianImage(`${root}${folder}/debian-12`, { suite: 'bookworm' })

const words = [
  'container2vm',
  `oci:${folder}/debian-12`,
  '-o',
  `${folder}/web.qcow2`,
  '--hostname',
  'web',
  '--verify',
  '--force',
]
console.log(`\n$ c2m ${words.join(' ')}`)
const status = run(process.execPath, ['packages/cli/bin/run.js', ...words])
if (status !== 0) process.exit(status)
console.log(`\nLook into it: node packages/cli/bin/run.js boot ${folder}/web.qcow2 --snapshot   (Ctrl-a x ends it)`)
