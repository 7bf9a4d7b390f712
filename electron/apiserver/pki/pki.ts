import type { webcrypto } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import {
  CLIENT_AUTH,
  generateKeys,
  issue,
  keyId,
  privateKeyPem,
  SERVER_AUTH,
  type Authority,
  type KeyPairPem,
  type Subject,
  type Usages,
} from './certificate.ts'
import { Rotation, type Issued, type RotatingCertificate } from './rotating.ts'
import { createSigner, type CertificateSigner } from './signer.ts'
import { BACKDATE, openState, YEAR, type PkiState } from './state.ts'

export interface PkiOptions {
  /** Folder of its own; made if missing. Holds `ca.crt`, `ca.key` and `sa.key`, each readable by the owner only. */
  readonly dir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** "cluster.local" */
  readonly clusterDomain: string
  /** Address of `default/kubernetes`: the first of the service range. */
  readonly serviceAddress: string
  /** Further names and addresses under which clients reach the API server. */
  readonly names?: readonly string[]
}

/** Key pair that signs service-account tokens (ES256). */
export interface SigningKeys {
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
  /** `kid` in the tokens' header and in the key set. */
  readonly id: string
}

/** The cluster's certificates and keys. Properties may be read once it is `ready`. */
export interface Pki extends Component {
  readonly caPem: string
  /** The API server's own certificate. */
  readonly serving: RotatingCertificate
  /** What the API server shows to agents: CN `kube-apiserver-kubelet-client`. */
  readonly kubeletClient: RotatingCertificate
  readonly serviceAccountKeys: SigningKeys
  readonly signer: CertificateSigner
  /** Replaces the further names; the serving certificate follows if that changes anything. */
  setNames(names: readonly string[]): Promise<void>
  /** A client certificate with a new key, valid for a year. */
  issueClient(subject: Subject): Promise<KeyPairPem>
}

/** In the certificate that a person uses. `system:masters` may do everything. */
export const ADMIN: Subject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }
export const KUBELET_CLIENT: Subject = { commonName: 'kube-apiserver-kubelet-client' }

/** Fails on start with FlotillaError `STATE_UNREADABLE` that names the file, or `DISK_FULL`. */
export function createPki(options: PkiOptions): Pki {
  const { dir, clock, random, logger } = options
  let names = options.names ?? []
  let state: PkiState | null = null
  let keys: SigningKeys | null = null
  let signer: CertificateSigner | null = null

  const leaf = async (subject: Subject, usages: Usages, alternative?: readonly string[]): Promise<Issued> => {
    const { privateKey, publicKey } = await generateKeys()
    const now = clock.now()
    const validity = { notBefore: now - BACKDATE, notAfter: now + YEAR }
    const authority: Authority = started(state).authority
    const cert = await issue(authority, { subject, publicKey, usages, ...validity, ...(alternative ? { names: alternative } : {}) }, random)
    return {
      pair: { cert, key: await privateKeyPem(privateKey) },
      notBefore: validity.notBefore,
      notAfter: Math.min(validity.notAfter, authority.cert.notAfter.getTime()),
    }
  }
  const serving = new Rotation({
    name: 'serving',
    clock,
    logger,
    make: () => leaf({ commonName: 'kube-apiserver' }, SERVER_AUTH, servingNames(options.clusterDomain, options.serviceAddress, names)),
  })
  const kubeletClient = new Rotation({ name: 'kubelet client', clock, logger, make: () => leaf(KUBELET_CLIENT, CLIENT_AUTH) })

  const base = component(async (stack) => {
    state = await openState({ dir, clock, random })
    keys = { ...state.serviceAccountKeys, id: await keyId(state.serviceAccountKeys.publicKey) }
    signer = createSigner({ authority: state.authority, clock, random })
    for (const rotation of [serving, kubeletClient]) {
      stack.use(rotation)
      await rotation.start()
    }
  })

  return componentWith(base, {
    get caPem() {
      return `${started(state).authority.cert.toString('pem')}\n`
    },
    serving,
    kubeletClient,
    get serviceAccountKeys() {
      return started(keys)
    },
    get signer() {
      return started(signer)
    },
    async setNames(wanted) {
      if (new Set(wanted).symmetricDifference(new Set(names)).size === 0) return
      names = [...wanted]
      if (base.state === 'ready') await serving.renew()
    },
    issueClient: async (subject) => (await leaf(subject, CLIENT_AUTH)).pair,
  })
}

function servingNames(domain: string, serviceAddress: string, extra: readonly string[]): readonly string[] {
  const own = ['localhost', '127.0.0.1', '::1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  return [...new Set([...own, `kubernetes.default.svc.${domain}`, serviceAddress, ...extra])]
}

function started<T>(value: T | null): T {
  if (value === null) throw new Error('the PKI is used before it is ready')
  return value
}
