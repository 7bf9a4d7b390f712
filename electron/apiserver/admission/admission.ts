/** The chain of checks between decoding and storing: first what may change the object, in order, then what only judges it. */
import type { AdmissionCheck, AdmissionRequest } from '../types.ts'

export interface AdmissionPlugin {
  readonly name: string
  /** Asked first and often: whether the other functions are to be called. */
  handles(request: AdmissionRequest): boolean
  /** May change `request.object`. Refuses by throwing StatusError. */
  admit?(request: AdmissionRequest): Promise<void> | void
  validate?(request: AdmissionRequest): Promise<void> | void
}

export interface Admission {
  admit(request: AdmissionRequest): Promise<void>
  validate(request: AdmissionRequest): Promise<void>
}

export function createAdmission(plugins: readonly AdmissionPlugin[], checks: readonly AdmissionCheck[]): Admission {
  return {
    async admit(request) {
      for (const plugin of plugins) if (plugin.admit && plugin.handles(request)) await plugin.admit(request)
    },
    async validate(request) {
      for (const plugin of plugins) if (plugin.validate && plugin.handles(request)) await plugin.validate(request)
      for (const check of checks) await check(request)
    },
  }
}
