// npm test: set-up, lint, unit, integration and boot tests; with words, only those of unit, integration, boot, and further
// words choose files by their paths: npm run test:integration -- security
import { availableParallelism } from 'node:os'
import { run, setUp } from './setup.js'

const PROJECTS = ['unit', 'integration', 'boot']
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const asked = words.filter((word) => PROJECTS.includes(word))
const paths = words.filter((word) => !PROJECTS.includes(word))
const projects = asked.length > 0 ? asked : PROJECTS
setUp(projects.every((project) => project === 'unit') ? 'unit' : 'test')
if (words.length === 0 && run(process.execPath, ['scripts/lint.js']) !== 0) process.exit(1)

// one project after the other; files of one project share the processors, two at a time at least: much of it is waiting
const workers = String(Math.max(2, availableParallelism() - 1))
let failed = false
for (const project of projects) {
  console.log(`\n— ${project} tests`)
  const options = ['--project', project, '--maxWorkers', workers, '--reporter', 'verbose']
  const reporters = project === 'boot' ? ['--reporter', './test/support/boot-matrix.ts'] : []
  if (run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...paths, ...options, ...reporters]) !== 0)
    failed = true
}
process.exit(failed ? 1 : 0)
