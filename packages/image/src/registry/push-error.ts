import { C2mError } from '@c2m/process'
import { errorCodes } from './error-code.js'
import { deniedError, readLimited, strangerError, type Session } from './session.js'

/**
 * What a registry's refusal of a push means. Reads the answer.
 * @param origin 'HOST/REPOSITORY'
 * @param what completes 'when …', e.g. 'sent a blob'
 */
export async function pushRefused(
  response: Response,
  session: Session,
  origin: string,
  what: string,
): Promise<C2mError> {
  const codes = response.bodyUsed
    ? []
    : errorCodes(await readLimited(response, 64 * 1024).catch(() => new Uint8Array()))
  const slash = origin.indexOf('/')
  const [registry, repository] = [origin.slice(0, slash), origin.slice(slash + 1)]
  const stranger = session.stranger(response)
  if (stranger !== undefined) return strangerError(stranger, registry, response.status, 'a blob')
  const said = codes.length > 0 ? ` (${codes.join(', ')})` : ''
  switch (response.status) {
    case 401:
      return deniedError(registry, repository, false, 'push')
    case 403:
      return deniedError(registry, repository, true, 'push')
    case 404:
      return new C2mError('C2M_REGISTRY_REFUSED', `the registry ${registry} has no repository ${repository}${said}`, {
        hint: 'check its spelling; some registries want a repository to be made before the first push',
      })
    case 405:
      return new C2mError('C2M_REGISTRY_REFUSED', `the registry ${registry} takes no pushes${said}`, {
        hint: 'it is read-only, e.g. a cache of another registry; push to another one',
      })
    case 413:
      return new C2mError('C2M_REGISTRY_REFUSED', `the registry ${registry} takes no blobs of this size${said}`, {
        hint: 'a proxy before it may limit the size of requests; ask its operator, or make smaller layers',
      })
    case 429:
      return new C2mError('C2M_REGISTRY_BUSY', `the registry ${registry} allows no more requests for now`, {
        hint: 'try again later',
      })
    default:
      return new C2mError(
        'C2M_REGISTRY_PROTOCOL',
        `the registry ${registry} answers with status ${response.status}${said} when ${what} for ${repository}`,
        { hint: 'try again later; when it stays so, tell the operator of the registry' },
      )
  }
}
