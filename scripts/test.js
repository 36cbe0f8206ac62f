// npm test: set-up, lint, unit, integration and boot tests; with words, only those of unit, integration, boot.
import { run, setUp } from './setup.js'

const asked = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const projects = asked.length > 0 ? asked : ['unit', 'integration', 'boot']
setUp(projects.every((project) => project === 'unit') ? 'unit' : 'test')
if (asked.length === 0) {
  const status = run(process.execPath, ['scripts/lint.js'])
  if (status !== 0) process.exit(status)
}
const selection = projects.flatMap((project) => ['--project', project])
process.exit(run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...selection]))
