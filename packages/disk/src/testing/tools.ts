import { findTool } from '@c2m/process'

/** True when all programs are there; says loudly which package brings a missing one. */
export async function haveTools(tools: Readonly<Record<string, string>>): Promise<boolean> {
  let all = true
  for (const [tool, aptPackage] of Object.entries(tools)) {
    if ((await findTool(tool)) !== undefined) continue
    console.warn(`SKIPPED: ${tool} is missing; install it: apt-get install ${aptPackage}`)
    all = false
  }
  return all
}
