// node scripts/names.js [ROOT]: no distribution and no boot loader is named outside its own plugin. Tests, the testkit,
// examples and documents may name them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BOOTLOADER_NAMES, DISTRO_NAMES, namesIn } from '../packages/testkit/dist/contract/names.js'

const ALL = [...DISTRO_NAMES, ...BOOTLOADER_NAMES]

/** Where a name is a fact and not knowledge of whose name it is: files, names, and why. */
const ALLOWED = [
  {
    file: /^(?:packages\/linux|plugins\/alpine)\/src\//,
    names: ['busybox'],
    because: 'the program, whose init, inittab(5) and interfaces(5) several distributions have',
  },
  { file: /^packages\/linux\/src\/secrets\/patterns\.ts$/, names: ['debian'], because: "a password file's name" },
  { file: /^packages\/linux\/src\/services\/foreground\/others\.ts$/, names: ['debian'], because: "an account's name" },
  { file: /^packages\/linux\/src\/services\/role\.ts$/, names: ['ubuntu'], because: "services' names" },
  {
    file: /^plugins\/debian\/src\/index\.ts$/,
    names: ['devuan'],
    because: 'the ID of one that says it is like it, and has another init system',
  },
]

/** What a boot loader's plugin has to do with too. */
const RELATIVES = { extlinux: ['syslinux', 'isolinux'], grub: ['efibootmgr'] }

/** @returns 0 when nobody is named who should not be */
export function checkNames(root) {
  const problems = sourceFiles(root).flatMap((file) =>
    problemsIn(relative(root, file), readFileSync(file, 'utf8'), root),
  )
  for (const problem of problems) console.error(problem)
  return problems.length === 0 ? 0 : 1
}

function problemsIn(file, text, root) {
  const allowed = allowedNames(file, root)
  const forbidden = ALL.filter((name) => !allowed.includes(name))
  return withoutData(file, text)
    .split('\n')
    .flatMap((line, index) => namesIn(line, forbidden).map((name) => `${file}:${index + 1}: names ${name}`))
}

/** A plugin may use the names of its own kind that it or a package it builds on has: ubuntu is a Debian. */
function allowedNames(file, root) {
  const listed = ALLOWED.filter((entry) => entry.file.test(file)).flatMap(({ names }) => names)
  const [group, folder] = file.split('/')
  if (group !== 'plugins') return listed
  const manifest = JSON.parse(readFileSync(join(root, group, folder, 'package.json'), 'utf8'))
  const related = [folder, ...Object.keys(manifest.dependencies ?? {}).map((name) => basename(name))].join(' ')
  const own = namesIn(related, ALL)
  return [...listed, ...own, ...own.flatMap((name) => RELATIVES[name] ?? [])]
}

/** Data that has to name others: a distro's boot loaders in order of preference, and examples in the program's help. */
function withoutData(file, text) {
  const blank = (data) => data.replace(/[^\n]/g, ' ')
  if (file.startsWith('plugins/')) return text.replace(/\bbootloaders: \[[^\]]*\]/g, blank)
  if (file.startsWith('packages/cli/src/commands/')) return text.replace(/\bexamples = \[[^\]]*\]/g, blank)
  return text
}

function sourceFiles(root) {
  return ['packages', 'plugins'].flatMap((group) =>
    folders(join(root, group))
      .filter((folder) => basename(folder) !== 'testkit')
      .flatMap((folder) => below(join(folder, 'src')))
      .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\/testing\//.test(file)),
  )
}

function folders(path) {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name))
}

function below(path) {
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(checkNames(resolve(process.argv[2] ?? '.')))
