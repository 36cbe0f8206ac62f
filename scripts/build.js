// npm run build: compiles what changed.
import { build } from './setup.js'

process.exit(build())
