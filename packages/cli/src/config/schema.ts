import { z } from 'zod'

const words = z.array(z.string().min(1))
const size = z.string().regex(/^(auto|\d+(\.\d+)?[KMGT]?i?B?)$/i, "a size such as '10G', or 'auto'")

/** c2m.config.yaml, .yml or .json. The JSON schema in the package is made from this. */
export const configSchema = z
  .strictObject({
    plugins: words.optional().describe('Plugin packages or folders to load; relative paths start at this file.'),
    overrides: z
      .record(z.string(), z.string())
      .optional()
      .describe('Contribution id → package, for ids that several plugins contribute.'),
    container2vm: z
      .strictObject({
        bootloader: z.string().optional(),
        'partition-table': z.enum(['gpt', 'mbr']).optional(),
        size: size.optional(),
        hostname: z.string().optional(),
        'ssh-key': words.optional().describe('Public key files.'),
        network: z.string().optional(),
        'network-manager': z.string().optional(),
        dns: words.optional(),
        timezone: z.string().optional(),
        locale: z.string().optional(),
        package: words.optional(),
        kernel: z.string().optional(),
        cmdline: words.optional(),
        console: words.optional(),
        swap: size.optional(),
        sandbox: z.enum(['userns', 'root', 'docker']).optional(),
      })
      .optional()
      .describe('Defaults for the flags of container2vm.'),
  })
  .describe('Configuration of c2m.')

export type Config = z.infer<typeof configSchema>

export function jsonSchema(): unknown {
  return { title: 'c2m configuration', ...z.toJSONSchema(configSchema) }
}
