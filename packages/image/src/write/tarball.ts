import type { Writable } from 'node:stream'
import { outputFile, throwIfAborted } from '@c2m/process'
import { writeStream } from './file.js'
import { packLayer, type PackContext } from './layer.js'
import { layerType } from './manifest.js'
import type { NewLayer, WrittenLayer } from './new-image.js'
import { createOutlet } from './standard-output.js'

/** Writes the bare root file system as a tar, compressed or not: to a file, or straight to standard output. */
export async function writeTarball(
  path: string,
  layer: NewLayer,
  context: PackContext,
  options: { readonly force?: boolean; readonly stdout?: Writable },
): Promise<WrittenLayer> {
  const mediaType = layerType('oci', context.compression)
  if (options.stdout !== undefined) {
    using outlet = createOutlet(options.stdout, context.signal)
    const packed = await packLayer(layer, (chunk) => outlet.write(chunk), context)
    await outlet.end()
    return { ...packed, mediaType }
  }
  await using output = await outputFile(path, { force: options.force })
  const packed = await writeStream(output.path, path, (write) => packLayer(layer, write, context))
  throwIfAborted(context.signal)
  await output.commit()
  return { ...packed, mediaType }
}
