import { encodeValue } from '../http/encode.ts'
import type { Negotiator } from '../http/negotiate.ts'
import type { RequestHandler } from '../types.ts'

/** The version of Kubernetes whose API this is. */
export const KUBERNETES_VERSION = '1.36.4'

export interface BuildInfo {
  /** Flotilla's own version: "0.1.0". */
  readonly version: string
  readonly commit: string
  /** RFC 3339. */
  readonly date: string
  /** As Node names them. */
  readonly platform: string
  readonly arch: string
  /** "v24.1.0" */
  readonly runtime: string
}

/** What a server knows of itself that is run from source. */
export const UNKNOWN_BUILD: BuildInfo = {
  version: '0.0.0',
  commit: 'unknown',
  date: '1970-01-01T00:00:00Z',
  platform: 'linux',
  arch: 'x64',
  runtime: 'unknown',
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows' }

/** apimachinery `version.Info`. */
export function versionInfo(build: BuildInfo) {
  const [major = '', minor = ''] = KUBERNETES_VERSION.split('.')
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: minor,
    gitVersion: `v${KUBERNETES_VERSION}+flotilla.${build.version}`,
    gitCommit: build.commit,
    gitTreeState: 'clean',
    buildDate: build.date,
    goVersion: `node ${build.runtime}`,
    compiler: 'v8',
    platform: `${SYSTEMS[build.platform] ?? build.platform}/${ARCHITECTURES[build.arch] ?? build.arch}`,
  }
}

export function versionHandler(build: BuildInfo, negotiator: Negotiator): RequestHandler {
  const info = versionInfo(build)
  // Indented, whoever asks.
  return async (request) => encodeValue(info, { ...negotiator.output(request.headers, request.query, false), pretty: true }, 200)
}
