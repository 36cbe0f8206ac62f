import { z } from 'zod'

/**
 * Keys that count wherever the file was found. Every other key counts only in a file that was named, since it decides
 * whom to trust, what code runs, here or in what is made, which files of this host are read, or which secrets leave a
 * machine. A key without an entry is one of the others.
 */
const harmless = z.registry()

/** A key that counts also in a file that was only found. */
function anywhere<T extends z.ZodType>(type: T) {
  const optional = type.optional()
  harmless.add(optional)
  return optional
}

/** A key that counts only in a file that was named. */
function named<T extends z.ZodType>(type: T, description = '') {
  return type.optional().describe(`${description} Counts only in a file that --config names.`.trim())
}

const words = z.array(z.string().min(1))
const size = z.string().regex(/^(auto|\d+(\.\d+)?[KMGT]?i?B?)$/i, "a size such as '10G', or 'auto'")

/** c2m.config.yaml, .yml or .json. The JSON schema in the package is made from this. */
export const configSchema = z
  .strictObject({
    plugins: named(words, 'Plugin packages or folders to load; relative paths start at this file.'),
    overrides: named(
      z.record(z.string(), z.string()),
      'Contribution id → package, for ids that several plugins contribute.',
    ),
    container2vm: z
      .strictObject({
        bootloader: named(z.string()),
        firmware: anywhere(z.enum(['bios', 'uefi'])),
        'partition-table': anywhere(z.enum(['gpt', 'mbr'])),
        size: anywhere(size),
        hostname: anywhere(z.string()),
        'ssh-key': named(words, 'Public key files.'),
        network: named(z.string()),
        'network-manager': named(z.string()),
        dns: named(words),
        timezone: anywhere(z.string()),
        locale: anywhere(z.string()),
        keyboard: anywhere(z.string()),
        package: named(words),
        kernel: named(z.string()),
        cmdline: named(words),
        console: anywhere(words),
        swap: anywhere(size),
        'esp-size': anywhere(size),
        sandbox: named(z.enum(['userns', 'root', 'docker'])),
        net: named(z.enum(['http', 'private', 'host', 'none'])),
        'package-timeout': anywhere(z.string()),
      })
      .optional()
      .describe('Defaults for the flags of container2vm.'),
    vm2container: z
      .strictObject({
        reader: named(z.enum(['direct', 'nbd', 'guestfs'])),
        'allow-backing': named(words),
        clean: anywhere(words),
        keep: named(words),
        exclude: named(words),
        'exclude-secrets': named(z.boolean()),
        init: named(z.string()),
        compress: anywhere(z.enum(['none', 'gzip', 'zstd'])),
        level: anywhere(z.int().min(1).max(19)),
        'split-layers': anywhere(z.boolean()),
      })
      .optional()
      .describe('Defaults for the flags of vm2container.'),
  })
  .describe('Configuration of c2m.')

export type Config = z.infer<typeof configSchema>
export type Section = 'container2vm' | 'vm2container'

/** What counts of a file that was only found, and the names of the keys that do not. */
export function splitFound(values: Config): { readonly counting: Config; readonly ignored: readonly string[] } {
  return splitObject(configSchema, values)
}

function splitObject(schema: z.ZodObject, values: object): { counting: object; ignored: string[] } {
  const counting: Record<string, unknown> = {}
  const ignored: string[] = []
  for (const [key, value] of Object.entries(values)) {
    const type = schema.shape[key] as z.ZodType | undefined
    const inner = type instanceof z.ZodOptional ? type.unwrap() : type
    if (inner instanceof z.ZodObject && typeof value === 'object' && value !== null) {
      const below = splitObject(inner, value as object)
      counting[key] = below.counting
      ignored.push(...below.ignored.map((name) => `${key}.${name}`))
    } else if (type !== undefined && harmless.has(type)) counting[key] = value
    else ignored.push(key)
  }
  return { counting, ignored }
}

export function jsonSchema(): unknown {
  return { title: 'c2m configuration', ...z.toJSONSchema(configSchema) }
}
