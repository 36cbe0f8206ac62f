/** A path as `Rootfs` wants it: without leading and trailing slashes. */
export function relativePath(path: string): string {
  return path.replace(/^\/+|(?<!\/)\/+$/g, '')
}

export function joinPath(...parts: readonly string[]): string {
  return parts
    .map(relativePath)
    .filter((part) => part !== '')
    .join('/')
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
