#!/usr/bin/env node
import { userInfo } from 'node:os'

// a container's arbitrary user has no account, and oclif asks for its home and shell
try {
  userInfo()
} catch {
  process.env.HOME ??= '/'
  process.env.SHELL ??= '/bin/sh'
}

const { run } = await import('../dist/main.js')
await run(process.argv.slice(2), import.meta.url)
