/**
 * A variable's name that says its value is a secret: DB_PASSWORD, API_KEY2, SENTRY_DSN. Not one that says where the secret
 * lies, as images of databases have them: DB_PASSWORD_FILE. For use within a larger expression, on any case; names longer
 * than any program's are cut, so that no line takes long.
 */
export const SECRET_NAME =
  '(?!\\w{0,100}_(?:FILE|PATH|DIR|DIRECTORY)\\b)' +
  '\\w{0,100}(?:PASSW(?:OR)?D|PASSPHRASE|CREDENTIAL|SECRET|DATABASE_UR[IL]|CONNECTION_STRING|' +
  '(?:PASS|TOKENS?|KEYS?|DSN|_PWD)(?=_|\\d|\\b))\\w{0,100}'

const WHOLE = new RegExp(`^${SECRET_NAME}$`, 'i')

/** Whether a variable of this name holds a secret, whatever its value is. */
export function isSecretName(name: string): boolean {
  return WHOLE.test(name)
}
