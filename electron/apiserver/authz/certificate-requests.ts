/**
 * What the API server itself guards about CertificateSigningRequests: who asks is who is signed in, and only who may approve or sign
 * for a signer does. Source: kubernetes certificates strategy, CertificateApproval, CertificateSigning and CertificateSubjectRestriction
 * admission plugins.
 */
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { forbidden } from '../../machinery/status.ts'
import * as x509 from '../../machinery/x509.ts'
import type { ResourceHooks } from '../registry/registry.ts'
import type { AdmissionCheck, AdmissionRequest, Authorizer } from '../types.ts'

const GROUP = 'certificates.k8s.io'
const RESOURCE = 'certificatesigningrequests'
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'
const MASTERS = 'system:masters'

/** For `certificatesigningrequests.certificates.k8s.io`. */
export const certificateRequestHooks: ResourceHooks = {
  create(object, { user }) {
    const request = object as CertificateSigningRequest
    const { name, uid, groups, extra } = user
    const { username: _n, uid: _u, groups: _g, extra: _e, ...spec } = request.spec
    const copied = extra && Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
    request.spec = { ...spec, username: name, groups: [...groups], ...(uid ? { uid } : {}), ...(copied ? { extra: copied } : {}) }
    return null
  },
}

export function certificateRequestCheck(authorize: Authorizer): AdmissionCheck {
  /** For the signer by name, or for all of its domain. */
  const may = async ({ user }: AdmissionRequest, verb: string, signerName: string) => {
    const domain = signerName.split('/')[0] ?? ''
    for (const name of [signerName, `${domain}/*`]) {
      const resource = { group: GROUP, version: '*', resource: 'signers', subresource: '', namespace: '', name }
      if ((await authorize({ user, verb, resource, path: '' })).allowed) return true
    }
    return false
  }

  return async (admitted) => {
    const { kind, operation, subresource } = admitted
    if (groupResource(kind) !== `${RESOURCE}.${GROUP}`) return
    const request = admitted.object as CertificateSigningRequest | null
    const old = admitted.old as CertificateSigningRequest | null
    if (operation === 'CREATE' && request && subresource === '') return checkSubject(admitted, request)
    if (operation !== 'UPDATE' || !request || !old) return
    const { signerName } = old.spec
    if (subresource === 'approval' && !(await may(admitted, 'approve', signerName)))
      throw refuse(admitted, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    if (subresource === 'status' && !semanticEqual(request.status, old.status) && !(await may(admitted, 'sign', signerName)))
      throw refuse(admitted, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`)
  }
}

/** Nobody gets a certificate that no policy can take back. */
function checkSubject(admitted: AdmissionRequest, { spec }: CertificateSigningRequest): void {
  if (spec.signerName !== CLIENT_SIGNER) return
  let groups: string[]
  try {
    groups = new x509.Pkcs10CertificateRequest(Buffer.from(spec.request, 'base64').toString('utf8')).subjectName.getField('O')
  } catch {
    throw refuse(admitted, 'the request is not PKCS #10 in PEM')
  }
  if (groups.includes(MASTERS)) throw refuse(admitted, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`)
}

function refuse({ name }: AdmissionRequest, why: string) {
  return forbidden({ group: GROUP, resource: RESOURCE }, name, why)
}
