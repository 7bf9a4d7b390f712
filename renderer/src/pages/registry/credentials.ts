/** Credentials of a registry as Kubernetes keeps them. Source: Docker's config.json, type kubernetes.io/dockerconfigjson. */
import { inNamespace, type Step } from '../../actions/plan.ts'
import { FIELD_MANAGER, pathTo, STRATEGIC_PATCH } from '../../kube/api.ts'
import { pathOf } from '../../../../electron/api/kind.ts'
import { SECRETS, SERVICE_ACCOUNTS } from '../../kube/resources.ts'

export interface RegistryForm {
  readonly name: string
  readonly namespace: string
  /** "ghcr.io" */
  readonly server: string
  readonly username: string
  readonly password: string
  /** The account whose pods get it; "" for none. */
  readonly account: string
}

/** Docker's own name for its hub in config.json. */
const HUB = 'https://index.docker.io/v1/'

export function registryPlan({ name, namespace, server, username, password, account }: RegistryForm): Step[] {
  const at = /^(index\.|registry-1\.)?docker\.io$/.test(server) ? HUB : server
  const config = { auths: { [at]: { username, password, auth: base64(`${username}:${password}`) } } }
  const query = { fieldManager: FIELD_MANAGER }
  const secret: Step = {
    call: {
      method: 'POST',
      path: pathOf(SECRETS, namespace),
      query,
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': base64(JSON.stringify(config)) },
      },
    },
    kubectl: `kubectl create secret docker-registry ${name}${inNamespace(namespace)} --docker-server=${at} --docker-username=${username} --docker-password=…`,
  }
  if (!account) return [secret]
  const body = { imagePullSecrets: [{ name }] }
  return [
    secret,
    {
      call: {
        method: 'PATCH',
        path: pathTo({ resource: SERVICE_ACCOUNTS, namespace, name: account }),
        query,
        contentType: STRATEGIC_PATCH,
        body,
      },
      kubectl: `kubectl patch serviceaccount ${account}${inNamespace(namespace)} -p '${JSON.stringify(body)}'`,
    },
  ]
}

function base64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}
