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
        firmware: z.enum(['bios', 'uefi']).optional(),
        'partition-table': z.enum(['gpt', 'mbr']).optional(),
        size: size.optional(),
        hostname: z.string().optional(),
        'ssh-key': words.optional().describe('Public key files.'),
        network: z.string().optional(),
        'network-manager': z.string().optional(),
        dns: words.optional(),
        timezone: z.string().optional(),
        locale: z.string().optional(),
        keyboard: z.string().optional(),
        package: words.optional(),
        kernel: z.string().optional(),
        cmdline: words.optional(),
        console: words.optional(),
        swap: size.optional(),
        'esp-size': size.optional(),
        sandbox: z.enum(['userns', 'root', 'docker']).optional(),
      })
      .optional()
      .describe('Defaults for the flags of container2vm.'),
    vm2container: z
      .strictObject({
        reader: z.enum(['direct', 'nbd', 'guestfs']).optional(),
        'allow-backing': words.optional(),
        clean: words.optional(),
        keep: words.optional(),
        exclude: words.optional(),
        'exclude-secrets': z.boolean().optional(),
        init: z.string().optional(),
        compress: z.enum(['none', 'gzip', 'zstd']).optional(),
        level: z.int().min(1).max(19).optional(),
        'split-layers': z.boolean().optional(),
      })
      .optional()
      .describe('Defaults for the flags of vm2container.'),
  })
  .describe('Configuration of c2m.')

export type Config = z.infer<typeof configSchema>

export function jsonSchema(): unknown {
  return { title: 'c2m configuration', ...z.toJSONSchema(configSchema) }
}
