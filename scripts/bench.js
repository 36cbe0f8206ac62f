// npm run bench: ratios against other ways of doing the same work, in the same run, on the same Debian tree; medians of
// five. With words, only those of: assembly, memory, packages, again, to-image, gzip.
import { root, setUp } from './setup.js'

const PARTS = ['assembly', 'memory', 'packages', 'again', 'to-image', 'gzip']
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !PARTS.includes(name))
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; the parts are ${PARTS.join(', ')}`)
  process.exit(2)
}
setUp('bench')
process.chdir(root)
const { prepare } = await import('./bench/prepare.js')
const input = await prepare()
console.log(`tree: ${input.entries} entries, ${Math.round(input.tarBytes / 2 ** 20)} MiB as a tar`)
for (const name of PARTS) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const { measure } = await import(`./bench/${name}.js`)
  for (const line of await measure(input)) console.log(line)
}
