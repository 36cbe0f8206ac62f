import type { ConfigurationReader } from '../../files/configuration-reader.js'
import { parseListener, type Listener } from '../listener.js'
import { pathFrom, readIncluding } from './included-files.js'

/** ngx_http_core_module and ngx_stream_core_module, "listen". A server without one listens on port 80. */
export async function nginxListeners(reader: ConfigurationReader): Promise<readonly (Listener | undefined)[]> {
  const found: (Listener | undefined)[] = []
  let servers = 0
  await readIncluding(reader, ['/etc/nginx/nginx.conf', '/usr/local/nginx/conf/nginx.conf'], (text, path) => {
    const included: string[] = []
    const folder = path.startsWith('/usr/local/') ? '/usr/local/nginx/conf' : '/etc/nginx'
    for (const [name = '', value = '', ...options] of directives(text)) {
      if (name === 'include') included.push(pathFrom(folder, value))
      if (name === 'server') servers++
      if (name !== 'listen') continue
      const protocol = options.some((option) => option === 'udp' || option === 'quic') ? 'udp' : 'tcp'
      found.push(parseListener(value, { defaultPort: 80, protocol }))
    }
    return included
  })
  return found.length === 0 && servers > 0 ? [parseListener('80')] : found
}

/** Words of each directive: what ends with ';' or begins a block. */
function* directives(text: string): Generator<readonly string[]> {
  let words: string[] = []
  for (const [token] of text.matchAll(/#[^\n]*|"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?|[;{}]|[^\s;{}#"']+/g)) {
    if (token.startsWith('#')) continue
    if (/^[;{}]$/.test(token)) {
      if (words.length > 0) yield words
      words = []
    } else words.push(token.replace(/^(["'])([\s\S]*)\1$/, '$2'))
  }
}
