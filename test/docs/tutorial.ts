import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../support/paths.js'

export const TUTORIAL = join(ROOT, 'docs/writing-a-plugin.md')
/** What the tutorial makes. */
export const EXAMPLE = join(ROOT, 'examples/c2m-plugin-busybox')

/** A fenced block: commands to run, or, with a path behind the language, a file to write. */
export interface Block {
  readonly language: string
  readonly path?: string
  readonly text: string
}

const FENCE = /^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm

export async function tutorialBlocks(): Promise<readonly Block[]> {
  const markdown = await readFile(TUTORIAL, 'utf8')
  return [...markdown.matchAll(FENCE)].map(([, language = '', path, text = '']) => ({
    language,
    ...(path === undefined ? {} : { path }),
    text,
  }))
}

/** The tutorial with the example's files as they are now, each where the tutorial writes it for the last time. */
export async function tutorialWithFiles(): Promise<string> {
  const markdown = await readFile(TUTORIAL, 'utf8')
  const fences = [...markdown.matchAll(FENCE)]
  const last = new Map(fences.flatMap(({ 2: path, index }) => (path === undefined ? [] : [[path, index] as const])))
  let text = ''
  let end = 0
  for (const { 0: fence, 1: language, 2: path, index } of fences) {
    if (path === undefined || last.get(path) !== index) continue
    text += `${markdown.slice(end, index)}\`\`\`${language} ${path}\n${await readFile(join(EXAMPLE, path), 'utf8')}\`\`\``
    end = index + fence.length
  }
  return text + markdown.slice(end)
}
