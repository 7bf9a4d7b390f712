/**
 * This agent's own program on disk, and the one before it. A new one is on trial until the control plane has seen that the node does well
 * with it; if that does not happen, the one before comes back by itself, also when the control plane is away.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import { writeAtomically } from '../checkpoint/atomic-file.ts'

export interface AgentProgramsDeps {
  /** The file that runs. */
  readonly self: string
  readonly stateDir: string
  /** "v1.36.4+flotilla.0.1.0" */
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Ends this process in an orderly way; whoever keeps it alive starts the file that is there then. */
  readonly restart: () => void
  /** Runs a program with `--version`; rejects if it cannot. Absent: with this Node. */
  readonly tryOut?: (file: string) => Promise<void>
}

export interface AgentPrograms {
  readonly version: string
  /** Lower-case hex. */
  readonly sha256: string
  /** What can be rolled back to. */
  readonly previous: string | null
  readonly onTrial: boolean
  /** The last program that did not pass its trial, and why. */
  readonly refused: { readonly sha256: string; readonly why: string } | null
}

interface Trial {
  readonly sha256: string
  readonly starts: number
}

/** How often a program on trial may start: one that crashes is not kept for long. */
const MOST_STARTS = 3
/** Milliseconds from a start for the control plane to be content. */
const TRIAL_MS = 180_000
const TRY_OUT_MS = 30_000

export class Programs implements Disposable {
  readonly #deps: AgentProgramsDeps
  #timer: Disposable | null = null

  constructor(deps: AgentProgramsDeps) {
    this.#deps = deps
  }

  /** Before anything else is begun; false if this program has had its trial and the one before is in its place again. */
  async begin(): Promise<boolean> {
    const trial = await this.#trial()
    if (!trial) return true
    if (trial.starts >= MOST_STARTS) {
      await this.#refuse(trial, `It ended ${trial.starts} times before the control plane was content with it.`)
      return false
    }
    await this.#write(this.#trialFile, { ...trial, starts: trial.starts + 1 })
    this.#timer = this.#deps.clock.setTimeout(
      () => {
        const why = `The control plane was not content with it within ${TRIAL_MS / 60_000} minutes.`
        void this.#refuse(trial, why).then(() => this.#deps.restart())
      },
      TRIAL_MS,
      { unref: true },
    )
    return true
  }

  async state(): Promise<AgentPrograms> {
    const { self, version } = this.#deps
    return {
      version,
      sha256: await hashOf(self),
      previous: await hashOf(this.#previous).catch(() => null),
      onTrial: (await this.#trial()) !== null,
      refused: await readJson<{ sha256: string; why: string }>(this.#refusedFile),
    }
  }

  /**
   * Puts a new program in the place of this one, which is kept, and restarts. Throws Error if it is not what the hash says, or does
   * not run here; then nothing has changed.
   */
  async replace(content: AsyncIterable<Uint8Array>, sha256: string): Promise<void> {
    const { self, logger } = this.#deps
    if (await this.#trial()) throw new Error('the program that runs is on trial itself')
    const next = `${self}.next.mjs`
    try {
      await store(content, next)
      const found = await hashOf(next)
      if (found !== sha256) throw new Error(`what arrived is ${found}, not ${sha256}`)
      await this.#tryOut(next)
      await copyFile(self, `${this.#previous}.new`)
      await rename(`${this.#previous}.new`, this.#previous)
      await rm(this.#refusedFile, { force: true })
      await this.#write(this.#trialFile, { sha256, starts: 0 } satisfies Trial)
      await rename(next, self)
    } finally {
      await rm(next, { force: true })
    }
    logger.info('this agent gives way to another', { sha256 })
    this.#deps.restart()
  }

  /** The control plane is content with what runs. */
  async commit(): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    await rm(this.#trialFile, { force: true })
  }

  /** Changes places with the program before. Throws Error if there is none. */
  async rollBack(): Promise<void> {
    const { self } = this.#deps
    await stat(this.#previous).catch(() => {
      throw new Error('there is no earlier program to go back to')
    })
    const trial = await this.#trial()
    if (trial) await this.#refuse(trial, 'The control plane rolled it back.')
    else {
      await copyFile(self, `${self}.left`)
      await rename(this.#previous, self)
      await rename(`${self}.left`, this.#previous)
    }
    this.#deps.restart()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  async #refuse({ sha256 }: Trial, why: string): Promise<void> {
    this.#deps.logger.warn('the agent before this one comes back', { why })
    await this.#write(this.#refusedFile, { sha256, why })
    await rename(this.#previous, this.#deps.self)
    await rm(this.#trialFile, { force: true })
  }

  async #tryOut(file: string): Promise<void> {
    const run = this.#deps.tryOut ?? ((path: string) => promisify(execFile)(process.execPath, [path, '--version'], { timeout: TRY_OUT_MS }))
    try {
      await run(file)
    } catch (error) {
      throw new Error(`it does not run here: ${messageOf(error)}`, { cause: error })
    }
  }

  #trial(): Promise<Trial | null> {
    return readJson<Trial>(this.#trialFile)
  }

  #write(file: string, value: object): Promise<void> {
    return writeAtomically(file, JSON.stringify(value), this.#deps.random)
  }

  get #previous(): string {
    return `${this.#deps.self}.previous`
  }

  get #trialFile(): string {
    return join(this.#deps.stateDir, 'agent-on-trial.json')
  }

  get #refusedFile(): string {
    return join(this.#deps.stateDir, 'agent-refused.json')
  }
}

async function store(content: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  await using file = await open(path, 'w', 0o644)
  for await (const chunk of content) await file.write(chunk)
  await file.sync()
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

async function readJson<T>(file: string): Promise<T | null> {
  return await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as T,
    () => null,
  )
}
