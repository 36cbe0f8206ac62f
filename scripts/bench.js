// npm run bench: ratios against other ways of doing the same work, in the same run, on the same Debian tree; medians of
// five. With words, only those of: startup, assembly, memory, packages, again, to-image, gzip.
import { root, setUp } from './setup.js'

const PARTS = ['startup', 'assembly', 'memory', 'packages', 'again', 'to-image', 'gzip']
/** Those that need no tree. */
const BARE = ['startup']
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !PARTS.includes(name))
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; the parts are ${PARTS.join(', ')}`)
  process.exit(2)
}
const chosen = PARTS.filter((name) => asked.length === 0 || asked.includes(name))
const needsTree = !chosen.every((name) => BARE.includes(name))
setUp(needsTree ? 'bench' : 'unit')
process.chdir(root)
const input = needsTree ? await tree() : undefined
for (const name of chosen) {
  const { measure } = await import(`./bench/${name}.js`)
  for (const line of await measure(input)) console.log(line)
}

async function tree() {
  const { prepare } = await import('./bench/prepare.js')
  const made = await prepare()
  console.log(`tree: ${made.entries} entries, ${Math.round(made.tarBytes / 2 ** 20)} MiB as a tar`)
  return made
}
