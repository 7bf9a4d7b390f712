/** Who this node is to the cluster: a client certificate by a bootstrap token, and with that a serving certificate. */
import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import { component, startIn, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Client } from '../../client/client.ts'
import type { ClientIdentity } from '../../client/transport.ts'
import { hasReason } from '../../machinery/status.ts'
import { writeAtomically } from '../checkpoint/atomic-file.ts'
import { certificateRequest } from './certificate-request.ts'
import { createRotatingCertificate } from './rotating-certificate.ts'
import type { RotatingCertificate } from './rotating-certificate.ts'
import { signCertificate } from './signing.ts'
import type { Usage } from './signing.ts'

export interface NodeIdentity extends Component {
  readonly client: RotatingCertificate
  readonly serving: RotatingCertificate
  /** What a request of this node shows. */
  credentials(): Promise<ClientIdentity>
}

export interface NodeIdentityDeps {
  readonly config: AgentConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** A client that shows `credentials`. */
  readonly api: () => Pick<Client, 'create' | 'get'>
  /** The API server can be reached again. */
  readonly reconnected?: Emitter<void>
}

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
const SERVING_SIGNER = 'kubernetes.io/kubelet-serving'

/** `start` does not wait for the cluster. */
export function createNodeIdentity(deps: NodeIdentityDeps): NodeIdentity {
  const { config, clock, random, logger, reconnected } = deps
  const common = { clock, random, logger, ...(reconnected ? { retryNow: reconnected } : {}) }
  const subject = { commonName: `system:node:${config.nodeName}`, organization: 'system:nodes' }
  const servingNames = [config.nodeName, config.nodeIP]
  const sign = (signerName: string, usage: Usage, names: readonly string[]) => async (key: string, signal: AbortSignal) => {
    const request = certificateRequest(key, { ...subject, names })
    return signCertificate({ client: deps.api(), clock }, { request, signerName, usages: ['digital signature', usage] }, signal)
  }
  const file = (name: string) => join(config.stateDir, 'pki', `${name}.pem`)
  const link = dirname(config.apiPortFile)
  const wish = join(link, 'wants-token')
  const tokens = [join(link, 'bootstrap-token'), config.bootstrapTokenFile]
  const signClient = sign(CLIENT_SIGNER, 'client auth', [])
  const client: RotatingCertificate = createRotatingCertificate({
    ...{ ...common, name: 'client', file: file('client'), names: [] },
    async sign(key, signal) {
      try {
        return await signClient(key, signal)
      } catch (error) {
        const { token } = client.current ? {} : await tokenOf(tokens)
        // A machine that was off for a year: the control plane hands in a token over SSH.
        if (!client.current && (token === undefined || hasReason(error, 'Unauthorized', 'Forbidden')))
          await writeAtomically(wish, '', random, 0o644)
        throw error
      }
    },
  })
  const signServing = sign(SERVING_SIGNER, 'server auth', servingNames)
  const serving = createRotatingCertificate({
    ...{ ...common, name: 'serving', file: file('serving'), names: servingNames },
    sign: async (key, signal) => {
      // Only a node may ask for one.
      await client.whenIssued(signal)
      return signServing(key, signal)
    },
  })

  const base = component(async (stack, signal) => {
    // A token is good for one join.
    stack.use(
      client.onChange(() => {
        for (const used of [wish, ...tokens]) void rm(used, { force: true }).catch(() => undefined)
      }),
    )
    await startIn(stack, client, signal)
    await startIn(stack, serving, signal)
  })
  return componentWith(base, {
    client,
    serving,
    async credentials() {
      const certificate = client.current
      if (certificate) return { certificate }
      return await tokenOf(tokens)
    },
  })
}

/** The first that is there. */
async function tokenOf(files: readonly string[]): Promise<{ token?: string }> {
  for (const file of files) {
    const token = (await readFile(file, 'utf8').catch(() => '')).trim()
    if (token) return { token }
  }
  return {}
}
