import { SECRET_NAME } from './names.js'

export type SecretKind =
  | 'private key'
  | 'key store'
  | 'password hash'
  | 'password'
  | 'cloud credentials'
  | 'token'
  | 'history'
  | 'provisioning data'

export interface SecretPattern {
  readonly kind: SecretKind
  /** Of a path as Rootfs spells it. */
  readonly path: RegExp
  /** As words after 'because it'. */
  readonly why: string
  /** What the beginning of the file must hold; without it the path is enough. */
  readonly content?: RegExp
}

/**
 * In a home, whichever it is, or anywhere that has one's layout. What may stand within it is bounded: it is tried again at
 * each slash of a path.
 */
function inHome(pattern: string): RegExp {
  return new RegExp(`(?:^|/)${pattern}$`)
}

const HISTORY =
  '\\.(?:(?:bash|zsh|ash|sh|ksh|mksh|python|irb|php|mysql|mariadb|psql|sqlite|rediscli|node_repl|mongo|dbshell|influx)_history(?:-\\d+)?|history|lesshst|local/share/fish/fish_history)'

/** First match counts. */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  {
    kind: 'password hash',
    path: /^etc\/(?:g?shadow(?:-|\.bak|~)?|passwd(?:-|\.bak|~)?|master\.passwd|security\/opasswd)$/,
    why: 'holds password hashes',
    // name:HASH: where HASH is none of '', '*', '!', 'x' and the like
    content: /^[^:\n]{1,256}:!*(?:\$[a-z0-9]{1,8}\$|_?[./A-Za-z0-9]{13,20}:)/m,
  },
  {
    kind: 'password hash',
    path: /^(?:etc|srv|var\/www|opt|usr\/local|home|root)\/(?:.*\/)?\.?ht(?:passwd|digest)[^/]*$/,
    why: 'holds password hashes of web users',
    content: /^[^:\n]{1,256}:\S/m,
  },
  {
    kind: 'cloud credentials',
    path: inHome('\\.aws/credentials'),
    why: 'holds keys of a cloud account',
    content: /aws_secret_access_key/i,
  },
  {
    kind: 'cloud credentials',
    path: inHome(
      '\\.(?:azure/(?:accessTokens\\.json|msal_token_cache\\.(?:json|bin))|config/gcloud/(?:credentials\\.db|access_tokens\\.db|application_default_credentials\\.json|legacy_credentials/.*)|oci/.{0,255}\\.pem|s3cfg|boto|passwd-s3fs|config/(?:doctl/config\\.yaml|hcloud/cli\\.toml|rclone/rclone\\.conf)|terraform\\.d/credentials\\.tfrc\\.json)',
    ),
    why: 'holds credentials of a cloud account',
  },
  {
    kind: 'cloud credentials',
    path: /^(?:etc|root|home|srv|opt|var\/lib)\/.*\.json$/,
    why: 'is the key of a service account',
    content: /"type"\s*:\s*"service_account"[^]*"private_key"|"private_key"[^]*"type"\s*:\s*"service_account"/,
  },
  {
    kind: 'token',
    path: inHome('\\.kube/config|(?:^|/)etc/(?:kubernetes/[^/]*\\.conf|rancher/[^/]*/[^/]*\\.yaml)'),
    why: 'holds access to a Kubernetes cluster',
  },
  {
    kind: 'token',
    path: inHome('\\.(?:docker/config\\.json|config/containers/auth\\.json|dockercfg)'),
    why: 'holds credentials of image registries',
    content: /"(?:auth|identitytoken|registrytoken)"\s*:\s*"[^"]/,
  },
  {
    kind: 'token',
    path: inHome('\\.npmrc|(?:^|/)etc/npmrc'),
    why: 'holds a token of a package registry',
    content: /_auth(?:Token)?\s*=|_password\s*=/,
  },
  {
    kind: 'token',
    path: inHome(
      '\\.(?:pypirc|gem/credentials|cargo/credentials(?:\\.toml)?|m2/settings\\.xml|composer/auth\\.json|config/composer/auth\\.json)',
    ),
    why: 'holds credentials of a package registry',
    content: /password|token|api[_-]?key|<privateKey>/i,
  },
  {
    kind: 'token',
    path: inHome('\\.(?:vault-token|config/gh/hosts\\.yml|config/glab-cli/config\\.yml|config/hub)'),
    why: 'holds an access token',
  },
  {
    kind: 'password',
    path: inHome('\\.(?:git-credentials|config/git/credentials)'),
    why: 'holds passwords of git servers',
  },
  { kind: 'password', path: inHome('[._]netrc'), why: 'holds passwords of servers', content: /password/i },
  { kind: 'password', path: inHome('\\.pgpass'), why: 'holds passwords of databases' },
  {
    kind: 'password',
    path: inHome('\\.(?:my\\.cnf|mylogin\\.cnf)'),
    why: 'holds a password of a database',
    content: /^[ \t]*password[ \t]*=[ \t]*\S|^[^\n]{0,4}\u0000/m,
  },
  {
    kind: 'password',
    path: /^etc\/mysql\/debian\.cnf$/,
    why: 'holds a password of a database',
    content: /^[ \t]*password[ \t]*=[ \t]*\S/m,
  },
  {
    kind: 'password',
    path: /^etc\/(?:.*\/)?(?:smbcredentials[^/]*|cifs[^/]*credentials?|sasl_passwd|exim4\/passwd\.client|ppp\/(?:chap|pap)-secrets|ipsec\.secrets|ipsec\.d\/[^/]*\.secrets|rsyncd\.secrets|msmtprc|ldap\.secret|ldap_secret|nslcd\.conf|swanctl\/conf\.d\/[^/]*)$/,
    why: 'holds passwords',
    content: /^[^#\s][^\n]*\S/m,
  },
  {
    kind: 'password',
    path: /^etc\/wpa_supplicant\/[^/]*\.conf$/,
    why: 'holds the password of a wireless network',
    content: /^[ \t]*(?:psk|password|wep_key\d)[ \t]*=/m,
  },
  {
    kind: 'password',
    path: /^etc\/NetworkManager\/system-connections\/[^/]*$/,
    why: 'holds the password of a network',
    content: /^[ \t]*(?:psk|password|secret|private-key-password|wep-key\d)=/m,
  },
  {
    kind: 'password',
    path: /^etc\/(?:netplan\/[^/]*\.yaml)$/,
    why: 'holds the password of a network',
    content: /^[ \t]*["']?password["']?[ \t]*:/m,
  },
  {
    kind: 'private key',
    path: /^etc\/wireguard\/[^/]*\.conf$/,
    why: 'holds the private key of a tunnel',
    content: /^[ \t]*PrivateKey[ \t]*=/m,
  },
  {
    kind: 'private key',
    path: /^(?:etc|etc\/bind|var\/lib\/bind)\/(?:(?:[^/]*\.)?rndc\.key|[^/]*\.tsig|K[^/]*\.private)$/,
    why: 'holds a key of the name server',
  },
  { kind: 'key store', path: /\.keytab$/, why: 'holds keys of Kerberos principals' },
  {
    kind: 'key store',
    path: /^(?:etc|root|home|srv|opt|var\/lib|var\/www)\/.*\.(?:p12|pfx|jks|keystore|kdbx?|ppk|pgp\.key)$/i,
    why: 'is a store of keys',
  },
  {
    kind: 'key store',
    path: inHome('\\.gnupg/(?:private-keys-v1\\.d/[^/]*\\.key|secring\\.gpg)'),
    why: 'holds a private key of GnuPG',
  },
  {
    kind: 'key store',
    path: inHome(
      '\\.(?:local/share/keyrings/[^/]*\\.keyring|password-store/.{0,255}\\.gpg|mozilla/firefox/[^/]*/(?:key[34]\\.db|logins\\.json)|config/(?:google-chrome|chromium)/.{0,255}/Login Data)',
    ),
    why: 'holds saved passwords',
  },
  {
    kind: 'provisioning data',
    path: /^var\/lib\/cloud\/(?:instances\/[^/]*|instance|seed\/[^/]*)\/(?:user-data|vendor-data|vendor2-data|obj\.pkl|cloud-config)[^/]*$/,
    why: 'is what the cloud gave the machine at its first boot, often with passwords',
  },
  {
    kind: 'provisioning data',
    path: /^(?:root\/(?:anaconda-ks|original-ks|initial-setup-ks)\.cfg|var\/log\/installer\/(?:autoinstall-user-data|cdebconf\/.*|subiquity-[^/]*)|var\/lib\/waagent\/(?:ovf-env\.xml|[^/]*\.prv))$/,
    why: 'is what the installer was told, often with passwords',
  },
  { kind: 'history', path: inHome(HISTORY), why: 'holds what somebody typed, often with passwords' },
  {
    kind: 'password',
    path: /^(?:srv|opt|home|root|var\/www|usr\/local|etc)\/(?:.*\/)?\.env(?:\.(?!example$|sample$|template$|dist$|defaults?$)[\w-]+)?$/,
    why: 'holds settings of an application, often with passwords',
    content: new RegExp(`^[ \\t]*(?:export[ \\t]+)?${SECRET_NAME}[ \\t]*=[ \\t]*["']?[^\\s"']`, 'im'),
  },
  {
    kind: 'password',
    path: /^(?:srv|var\/www|opt|usr\/share\/wordpress|etc\/wordpress|home)\/(?:.*\/)?wp-config\.php$/,
    why: 'holds a password of a database',
    content: /DB_PASSWORD/,
  },
  {
    kind: 'token',
    path: /^etc\/(?:letsencrypt\/accounts\/.*\/private_key\.json|gitlab\/gitlab-secrets\.json|gitlab-runner\/config\.toml|salt\/pki\/.*\.pem|puppetlabs\/.*\/private_keys\/[^/]*)$/,
    why: 'holds the identity of this machine with another service',
  },
]

/** Where private keys are looked for; those in packages' documentation and tests are nobody's. */
export const KEY_PLACES = /^(?:etc|root|home|srv|opt|var\/lib|var\/www|usr\/local)\//
export const NOBODYS =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|vendor|tests?|testdata|test-data|fixtures|examples?|samples?|docs?)\//
/** Names that keys usually have. */
export const KEY_NAMES =
  /\.(?:pem|key|p8|crt|cer|ovpn)$|^id_[a-z0-9_-]+$|_host_[a-z0-9]+_key$|(?:^|[._-])(?:key|rsa|ed25519|ecdsa|dsa|identity)$/i
/** RFC 7468, and OpenSSH's and PuTTY's formats. */
export const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-\d/m
