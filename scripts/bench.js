// npm run bench: ratios against other ways of doing the same work, in the same run, on the same Debian tree; medians of
// five. With words, only those of: assembly, memory, packages, again, to-image.
import { root, setUp } from './setup.js'

setUp('bench')
process.chdir(root)
const asked = process.argv.slice(2)
const { prepare } = await import('./bench/prepare.js')
const input = await prepare()
console.log(`tree: ${input.entries} entries, ${Math.round(input.tarBytes / 2 ** 20)} MiB as a tar`)
for (const name of ['assembly', 'memory', 'packages', 'again', 'to-image']) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const { measure } = await import(`./bench/${name}.js`)
  for (const line of await measure(input)) console.log(line)
}
