import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, WORK } from './paths.js'

/** The folder of a plugin in examples/, compiled. Another test may be using it: files are replaced as a whole. */
export function builtExample(name: string): string {
  const folder = join(ROOT, 'examples', name)
  const scratch = mkdtempSync(join(WORK, 'example-'))
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '--project', folder, '--outDir', scratch])
    mkdirSync(join(folder, 'dist'), { recursive: true })
    for (const file of readdirSync(scratch)) renameSync(join(scratch, file), join(folder, 'dist', file))
  } finally {
    rmSync(scratch, { recursive: true })
  }
  return folder
}

/** Its package, as its author would publish it, in `folder`. */
export function packExample(name: string, folder: string): string {
  // no environment of the npm that runs the tests
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('npm_')))
  const pack = ['pack', '--json', '--pack-destination', folder]
  const packed = execFileSync('npm', pack, { cwd: join(ROOT, 'examples', name), env, encoding: 'utf8', stdio: 'pipe' })
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [{ filename: string }]
  return join(folder, filename)
}

/** A configuration in `folder` that loads such plugins. */
export async function configurationWith(folder: string, examples: readonly string[]): Promise<string> {
  const file = join(folder, 'c2m.config.json')
  await writeFile(file, JSON.stringify({ plugins: examples.map(builtExample) }))
  return file
}
