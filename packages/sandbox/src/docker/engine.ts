import type { Verdict } from '@c2m/plugin-api'
import type { SandboxOptions, SandboxTask } from '../sandbox.js'
export async function checkEngine(): Promise<Verdict> { return { ok: true } }
export async function runInEngine(_task: SandboxTask, _output: string, _options: SandboxOptions): Promise<void> {}
