import type { CleaningRule } from '@c2m/plugin-api'
import type { ConfigurationReader } from '../files/configuration-reader.js'
import { BOOT_RULES } from './boot.js'
import { homes } from './homes.js'
import { identityRules } from './identity.js'
import { NETWORK_RULES } from './network.js'
import { storageRules } from './storage.js'
import { dataRules, traceRules } from './traces.js'

/** What only a machine needs, on any Linux. */
export async function commonCleaningRules(reader: ConfigurationReader): Promise<readonly CleaningRule[]> {
  const places = await homes(reader)
  return [
    ...BOOT_RULES,
    ...(await storageRules(reader)),
    ...NETWORK_RULES,
    ...(await identityRules(reader)),
    ...traceRules(places),
    ...dataRules(places),
  ]
}
