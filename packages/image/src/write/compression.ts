import { usageError } from '@c2m/process'
import type { Destination } from './destination.js'
import type { LayerCompression, WriteImageOptions } from './new-image.js'

/**
 * How layers are compressed: as was asked for, else as is usual for the destination.
 * @throws C2M_IMAGE_DESTINATION (usage) for what the readers of this form do not take, C2M_IMAGE_NEW (usage)
 */
export function chooseCompression(
  destination: Destination,
  { compression = usualCompression(destination), level }: Pick<WriteImageOptions, 'compression' | 'level'>,
): LayerCompression {
  if (compression === 'zstd' && !takesZstd(destination)) {
    throw usageError(
      'C2M_IMAGE_DESTINATION',
      `${destination.transport}: takes no layers compressed with zstd`,
      'use gzip or none',
    )
  }
  checkLevel(compression, level)
  return compression
}

function usualCompression({ transport }: Destination): LayerCompression {
  return transport === 'oci' || transport === 'oci-archive' || transport === 'docker' ? 'gzip' : 'none'
}

/** A bare tar is for whoever asked for it. */
function takesZstd({ transport }: Destination): boolean {
  return ['oci', 'oci-archive', 'docker', 'tarball'].includes(transport)
}

function checkLevel(compression: LayerCompression, level: number | undefined): void {
  const maximum = compression === 'zstd' ? 19 : 9
  if (level === undefined || (Number.isInteger(level) && level >= 1 && level <= maximum)) return
  throw usageError('C2M_IMAGE_NEW', `${level} is no level of ${compression}`, `choose one from 1 to ${maximum}`)
}
