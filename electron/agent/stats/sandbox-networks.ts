/** What went over pods' networks: read in the network of each sandbox's first process. */
import { readFile } from 'node:fs/promises'
import type { Cri } from '../runtime/cri.ts'
import { parseNetDev } from './node-usage.ts'
import type { InterfaceUsage } from './node-usage.ts'

export class SandboxNetworks {
  readonly #cri: Cri
  /** A sandbox keeps its process for life. */
  readonly #pids = new Map<string, number>()

  constructor(cri: Cri) {
    this.#cri = cri
  }

  /** null if the sandbox is gone. */
  async read(sandboxId: string): Promise<InterfaceUsage[] | null> {
    try {
      const pid = this.#pids.get(sandboxId) ?? (await this.#cri.sandboxPid(sandboxId))
      if (pid === null) return null
      this.#pids.set(sandboxId, pid)
      return parseNetDev(await readFile(`/proc/${pid}/net/dev`, 'utf8'))
    } catch {
      this.#pids.delete(sandboxId)
      return null
    }
  }
}
