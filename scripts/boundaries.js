// Three rules that no compiler checks: a package imports only what its package.json declares (plugins: never core), no
// file imports itself through others, and the program starts without what only a conversion needs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const FORBIDDEN_TO_PLUGINS = ['@c2m/core', '@c2m/cli', '@c2m/sandbox', '@c2m/image', '@c2m/disk', '@c2m/filesystem']
/** What takes long to load: commands import() it when they run, so that --help and a wrong flag are answered at once. */
const LOADED_LATE = ['@c2m/core', '@c2m/qemu', 'execa', 'zod']

export function checkBoundaries(root) {
  const problems = []
  const graph = new Map()
  const late = new Map()
  for (const folder of workspaceFolders(root)) {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    const typesOnly = new Set(Object.keys(manifest.devDependencies ?? {}))
    for (const file of sourceFiles(join(folder, 'src'))) {
      const isTest = /\.test\.ts$|\/testing\//.test(file)
      const edges = []
      for (const { specifier, isType } of importsOf(readFileSync(file, 'utf8'))) {
        if (specifier.startsWith('.')) {
          const target = resolve(dirname(file), specifier).replace(/\.js$/, '.ts')
          if (!existsSync(target)) problems.push(`${relative(root, file)}: no such file ${specifier}`)
          if (!isType) edges.push(target)
          continue
        }
        if (specifier.startsWith('node:') || isTest) continue
        const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]
        const allowed = declared.has(name) || (isType && typesOnly.has(name))
        if (!allowed) problems.push(`${relative(root, file)}: imports ${name}, which package.json does not declare`)
        if (folder.includes('/plugins/') && FORBIDDEN_TO_PLUGINS.includes(name))
          problems.push(`${relative(root, file)}: a plugin must not import ${name}`)
        if (!isType && LOADED_LATE.includes(name)) late.set(file, name)
        if (name === 'execa' && !folder.endsWith('/process'))
          problems.push(`${relative(root, file)}: only packages/process imports execa`)
      }
      graph.set(file, edges)
    }
  }
  for (const file of reached(graph, (file) =>
    /\/cli\/src\/(?:main|program|commands\/.*)\.ts$|\/process\/src\/index\.ts$/.test(file),
  ))
    if (late.has(file)) problems.push(`${relative(root, file)}: imports ${late.get(file)} when the program starts`)
  problems.push(...cycles(graph).map((cycle) => `import cycle: ${cycle.map((f) => relative(root, f)).join(' → ')}`))
  for (const problem of problems) console.error(problem)
  return problems.length === 0 ? 0 : 1
}

function workspaceFolders(root) {
  return ['packages', 'plugins'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, group, entry.name)),
  )
}

function sourceFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

function importsOf(text) {
  const found = []
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s+)?[^'"`;]*?from\s+'([^']+)'/gm))
    found.push({ specifier: match[2], isType: match[1] !== undefined })
  for (const match of text.matchAll(/^\s*import\s+'([^']+)'/gm)) found.push({ specifier: match[1], isType: false })
  for (const match of text.matchAll(/\bimport\('([^']+)'\)/g)) found.push({ specifier: match[1], isType: true })
  return found
}

/** The files that match, and what they import. */
function reached(graph, isStart) {
  const found = new Set([...graph.keys()].filter(isStart))
  for (const file of found) for (const next of graph.get(file) ?? []) found.add(next)
  return found
}

function cycles(graph) {
  const state = new Map()
  const found = []
  const visit = (file, trail) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push([...trail.slice(trail.indexOf(file)), file])
      return
    }
    state.set(file, 'open')
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    state.set(file, 'done')
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}
