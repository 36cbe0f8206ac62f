import { findSecrets, globOf, type SecretFinding } from '@c2m/linux'
import type { CleaningRule, Rootfs } from '@c2m/plugin-api'
import { cleanRootfs, expressibleRootfs, type CleaningResult, type Inexpressible } from '@c2m/rootfs'
import type { VmToContainerRequest } from '../request/vm-to-container.js'
import { ACCOUNT_FILES } from './accounts.js'
import { fromRoot } from './exclude.js'
import { rulesThroughLinks } from './links.js'
import { SPARSE, sparseRule } from './sparse.js'

/** A machine's tree without what stays behind, and what was decided. */
export interface Stripped {
  readonly rootfs: Rootfs
  readonly rules: readonly CleaningResult[]
  readonly secrets: readonly SecretFinding[]
  /** What an image cannot hold, by path. */
  readonly leftOut: readonly Inexpressible[]
  /** Attributes that only the machine understands: how many files had each. */
  readonly droppedAttributes: Readonly<Record<string, number>>
}

type Choices = Pick<VmToContainerRequest, 'clean' | 'keep' | 'exclude' | 'excludeSecrets' | 'devices'>

/**
 * Takes away what only a machine needs, what the user excludes, secrets when asked, and what no image can hold.
 * @throws C2M_UNKNOWN_CLEANING_RULE, C2M_GLOB_INVALID
 */
export async function strip(machine: Rootfs, rules: readonly CleaningRule[], choices: Choices): Promise<Stripped> {
  const { clean, keep, exclude, excludeSecrets, devices } = choices
  const asked: CleaningRule = {
    id: 'exclude',
    summary: 'what --exclude names',
    byDefault: true,
    remove: exclude.map(fromRoot),
  }
  const spelled = await rulesThroughLinks(machine, rules)
  const all = [...spelled, { id: SPARSE, summary: '', byDefault: true }, ...(exclude.length > 0 ? [asked] : [])]
  const kept = keep.includes('all') ? all.map(({ id }) => id).filter((id) => id !== 'exclude') : keep
  const cleaned = await cleanRootfs(machine, all, { clean, keep: kept })
  // last, since a file that is emptied has no holes any more
  const sparse = await sparseRule(cleaned.rootfs)
  const whole = await cleanRootfs(cleaned.rootfs, [sparse], { keep: kept.filter((id) => id === SPARSE) })
  const results = cleaned.results.map((result) => (result.id === SPARSE ? whole.results[0]! : result))
  let rootfs = sparse.remove?.length === 0 ? cleaned.rootfs : whole.rootfs
  const secrets: SecretFinding[] = []
  for await (const secret of findSecrets(rootfs)) secrets.push(secret)
  if (excludeSecrets && secrets.length > 0) {
    const rule = secretsRule(secrets)
    const without = await cleanRootfs(rootfs, [rule])
    results.push(...without.results)
    rootfs = without.rootfs
  }
  const leftOut: Inexpressible[] = []
  const droppedAttributes: Record<string, number> = {}
  rootfs = await expressibleRootfs(rootfs, {
    devices,
    onLeftOut: (one) => leftOut.push(one),
    onXattr: (_path, name) => (droppedAttributes[name] = (droppedAttributes[name] ?? 0) + 1),
  })
  return { rootfs, rules: results, secrets, leftOut, droppedAttributes }
}

function secretsRule(secrets: readonly SecretFinding[]): CleaningRule {
  return {
    id: 'secrets',
    summary: 'files that look like secrets',
    byDefault: true,
    remove: secrets.filter(({ path }) => !ACCOUNT_FILES.includes(path)).map(({ path }) => globOf(path)),
  }
}
