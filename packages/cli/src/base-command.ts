import type { Converter } from '@c2m/core'
import {
  ExitCode,
  interrupted,
  isC2mError,
  usageError,
  visible,
  visibleJson,
  type C2mError,
  type Reporter,
} from '@c2m/process'
import { Command, Flags, ux } from '@oclif/core'
import { ignoredKeys, usedConfig, type UsedConfig } from './config/defaults.js'
import { loadConfig, type LoadedConfig } from './config/load.js'
import type { Section } from './config/schema.js'
import { findPlugins } from './host/plugins.js'
import { configText, errorText, ignoredText, namedError } from './report/lines.js'
import { makeReporter } from './report/reporters.js'

export interface CommonFlags {
  config?: string
  quiet?: boolean
  verbose?: boolean
}

/** Milliseconds that a command has to end in order. */
const GRACE = 10_000

export interface Settings extends LoadedConfig {
  readonly used: UsedConfig | undefined
}

/** What every command has: configuration, plugins, progress, interruption, and one way to say an error. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = {
    config: Flags.string({ description: 'configuration file instead of the one found', helpGroup: 'GLOBAL' }),
    quiet: Flags.boolean({
      char: 'q',
      description: 'only warnings and errors',
      helpGroup: 'GLOBAL',
      exclusive: ['verbose'],
    }),
    verbose: Flags.boolean({ char: 'v', description: "details and programs' output", helpGroup: 'GLOBAL' }),
  }

  readonly #abort = new AbortController()
  /** Thrown in an event handler, or by a promise that nobody awaits. */
  #stray: Error | undefined
  #overdue: NodeJS.Timeout | undefined

  /** Standard output belongs to what the command makes: all that is said goes to stderr, JSON as one line more there. */
  protected outputIsStdout = false

  protected get signal(): AbortSignal {
    return this.#abort.signal
  }

  override async init(): Promise<void> {
    await super.init()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, this.#interrupt)
    process.on('uncaughtException', this.#onStray)
  }

  /** It ends the work in order, as a signal does; where something never comes that the work waits for, without. */
  readonly #onStray = (thrown: unknown): void => {
    if (this.signal.aborted) return // it follows from what ends the work already
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#stray = error
    this.#abort.abort(interrupted())
    this.#overdue = setTimeout(() => void this.catch(error).then(() => process.exit()), GRACE)
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    clearTimeout(this.#overdue)
    process.removeListener('uncaughtException', this.#onStray)
    if (this.#stray === undefined || error !== undefined) return
    // the work was done, but nobody knows what was left out
    await this.catch(this.#stray)
    this.exit(Number(process.exitCode))
  }

  readonly #interrupt = (name: NodeJS.Signals): void => this.onSignal(name)

  /** The first signal ends the work in order; a second one at once. */
  protected onSignal(_name: NodeJS.Signals): void {
    if (this.#abort.signal.aborted) process.exit(ExitCode.interrupted)
    this.#abort.abort(interrupted())
  }

  /** Of what it says, nothing moves a cursor or changes a colour, whatever the names in it are. */
  override log(message = ''): void {
    if (this.outputIsStdout) this.logToStderr(message)
    else super.log(visible(message))
  }

  override logToStderr(message = ''): void {
    super.logToStderr(visible(message))
  }

  protected override logJson(json: unknown): void {
    if (this.outputIsStdout) process.stderr.write(`${visibleJson(json)}\n`)
    else ux.stdout(visibleJson(json, 2))
  }

  protected reporter(flags: CommonFlags): Reporter {
    return makeReporter(flags.verbose ? 'verbose' : flags.quiet ? 'quiet' : 'normal', this.jsonEnabled())
  }

  /** The configuration; what of it a conversion takes, given these flags, is said. */
  protected async settings(flags: CommonFlags, section?: Section): Promise<Settings> {
    const reporter = this.reporter(flags)
    const named = flags.config ?? (process.env.C2M_CONFIG || undefined)
    const settings = await loadConfig(named, (message) => reporter.warn(message))
    const ignored = ignoredKeys(settings, section)
    if (ignored.length > 0) reporter.warn(ignoredText(settings.file ?? '', ignored))
    const used = usedConfig(settings, flags, section)
    if (section !== undefined && used !== undefined) reporter.info(configText(used))
    return { ...settings, used }
  }

  protected async converter(settings: LoadedConfig, reporter: Reporter): Promise<Converter> {
    const plugins = await findPlugins(this.config, settings)
    const { createConverter } = await import('@c2m/core')
    const converter = createConverter({ plugins, overrides: settings.values.overrides, reporter, signal: this.signal })
    for (const { packageName, because } of converter.plugins.broken) {
      reporter.warn(`plugin ${packageName} was not loaded: ${because}`)
    }
    for (const { id, packageNames } of converter.plugins.duplicates) {
      reporter.warn(`'${id}' is contributed by ${packageNames.join(' and ')}; none of them is used`)
    }
    return converter
  }

  protected override async catch(error: Error & { exitCode?: number }): Promise<unknown> {
    const shown = this.#stray === undefined && this.signal.aborted ? interrupted() : this.#named(this.#stray ?? error)
    process.exitCode = shown.exitCode
    if (this.jsonEnabled()) {
      this.logJson({ error: { code: shown.code, message: shown.message, hint: shown.hint, plugin: shown.plugin } })
      return undefined
    }
    this.logToStderr(errorText(shown))
    if (process.env.DEBUG) this.logToStderr(String((this.#stray ?? error).stack))
    return undefined
  }

  /** oclif's own errors are about the command line; anything else that is not c2m's is a bug. */
  #named(error: Error): C2mError {
    if (isC2mError(error) || !(error instanceof Error && 'oclif' in error)) return namedError(error)
    const text = error.message.replace(/\n?See more help with --help/, '').trim()
    return usageError('C2M_USAGE', text, `see ${this.config.bin} ${this.id ?? ''} --help`)
  }
}
