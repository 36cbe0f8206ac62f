import { archiveRootfs, indexLayer } from '@c2m/rootfs'
import type { Rootfs } from '@c2m/plugin-api'
import type { CleanupStack, Reporter } from '@c2m/process'

/**
 * The tree of an uncompressed tar that another program wrote. A tar of a live tree may name a file twice; the last wins, as
 * when it is unpacked.
 */
export async function openSpooledTar(
  path: string,
  { signal, reporter }: { readonly signal: AbortSignal; readonly reporter: Reporter },
  cleanup: CleanupStack,
): Promise<Rootfs> {
  const layer = await indexLayer(path, { signal, warn: (message) => reporter.warn(message) })
  const rootfs = await archiveRootfs(layer)
  cleanup.defer(() => rootfs[Symbol.asyncDispose]())
  return rootfs
}
