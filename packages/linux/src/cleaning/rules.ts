import type { BootTraces, CleaningRule } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { bootRules } from './boot.js'
import { homes } from './homes.js'
import { identityRules } from './identity.js'
import { NETWORK_RULES } from './network.js'
import { storageRules } from './storage.js'
import { dataRules, traceRules } from './traces.js'

/**
 * What only a machine needs, on any Linux.
 * @param loaders what boot loaders that are known leave, as globs
 */
export async function commonCleaningRules(
  reader: ConfigurationReader,
  loaders: BootTraces['files'],
): Promise<readonly CleaningRule[]> {
  const places = await homes(reader)
  return [
    ...bootRules(loaders),
    ...(await storageRules(reader)),
    ...NETWORK_RULES,
    ...(await identityRules(reader)),
    ...traceRules(places),
    ...dataRules(places),
  ]
}
