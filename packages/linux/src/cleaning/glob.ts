import { relativePath } from '../files/paths.js'

/** The glob that matches one path only. */
export function globOf(path: string): string {
  return `/${relativePath(path).replace(/[\\*?[\]{},]/g, '\\$&')}`
}
