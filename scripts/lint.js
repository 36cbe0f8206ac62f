// npm run lint: types (tests too), package boundaries and import cycles, names that belong to plugins, generated
// documents, ESLint, Prettier.
import { checkBoundaries } from './boundaries.js'
import { checkNames } from './names.js'
import { reference } from './reference.js'
import { build, root, run } from './setup.js'

const bin = (path) => `${root}node_modules/${path}`
const steps = [
  ['types', build],
  ['types of the tests', () => run(process.execPath, [bin('typescript/bin/tsc'), '-p', 'tsconfig.tests.json'])],
  ['package boundaries and import cycles', () => checkBoundaries(root)],
  ['names of distributions and boot loaders', () => checkNames(root)],
  ['generated documents', () => reference({ check: true })],
  ['eslint', () => run(process.execPath, [bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.'])],
  ['prettier', () => run(process.execPath, [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'])],
]
for (const [what, step] of steps) {
  if ((await step()) === 0) continue
  console.error(`lint: ${what} failed`)
  process.exit(1)
}
console.log('lint: all good')
