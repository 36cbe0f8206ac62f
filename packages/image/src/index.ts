export { openImage } from './open.js'
export { isBlankDisk, TAR_BLOCK } from './archive/blank.js'
export type { OpenedImage, OpenImageOptions } from './image.js'
export {
  parseReference,
  type ArchiveChoice,
  type ImageChoice,
  type ImageId,
  type ImageReference,
} from './reference/reference.js'
export { isTarName } from './reference/file-name.js'
export { familiarName, type RegistryName } from './reference/registry-name.js'
export { formatPlatform, hostPlatform, parsePlatform, type Platform } from './manifest/platform.js'
export { writeImage } from './write/write.js'
export { checkDestination } from './write/check-destination.js'
export { parseDestination, type Destination } from './write/destination.js'
export type {
  LayerCompression,
  NewImage,
  NewLayer,
  WriteImageOptions,
  WrittenImage,
  WrittenLayer,
} from './write/new-image.js'
