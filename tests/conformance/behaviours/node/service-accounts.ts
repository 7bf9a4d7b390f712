/** ServiceAccount: the tokens that containers find. */
import assert from 'node:assert/strict'
import type { Behaviours } from '../../lib/behaviour.ts'
import { send } from '../../lib/raw.ts'
import { execIn, outputOf, shell, STAY, startPod } from '../../lib/running.ts'

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

interface Claims {
  iss: string
  sub: string
  aud: string[]
  exp: number
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.trim().split('.')[1] ?? '', 'base64url').toString()) as Claims

/** Run by the image's Node: what discovery says of the keys, and whether one of them signed the token. */
const VERIFY = `
const { readFileSync } = require('fs'), https = require('https'), crypto = require('crypto')
const dir = '${MOUNT}/', token = readFileSync(dir + 'token', 'utf8').trim(), ca = readFileSync(dir + 'ca.crt')
const get = (url) => new Promise((resolve, reject) => https.get(url, { ca, headers: { authorization: 'Bearer ' + token } }, (response) => {
  let text = ''; response.on('data', (part) => (text += part)).on('end', () => resolve({ status: response.statusCode, text }))
}).on('error', reject))
const main = async () => {
  const [head, body, signature] = token.split('.')
  const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url')), { iss } = JSON.parse(Buffer.from(body, 'base64url'))
  const base = 'https://kubernetes.default.svc'
  const configuration = await get(base + '/.well-known/openid-configuration')
  const { issuer, jwks_uri } = JSON.parse(configuration.text)
  const { keys } = JSON.parse((await get(base + new URL(jwks_uri).pathname)).text)
  const jwk = keys.find((key) => key.kid === kid)
  const key = crypto.createPublicKey({ key: jwk, format: 'jwk' })
  const options = alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : key
  const verified = crypto.verify('sha256', Buffer.from(head + '.' + body), options, Buffer.from(signature, 'base64url'))
  console.log(JSON.stringify({ status: configuration.status, path: new URL(jwks_uri).pathname, sameIssuer: issuer === iss, verified }))
}
main().catch((error) => { console.log(String(error)); process.exit(1) })
`

export const behaviours: Behaviours = {
  async 'serviceaccount-token-mounted'(context) {
    const running = await startPod(context, { containers: [shell(context, STAY), shell(context, STAY, { name: 'other' })] })
    for (const container of ['main', 'other']) {
      const { sub } = claimsOf(await execIn(context, running, `cat ${MOUNT}/token`, container))
      assert.equal(sub, `system:serviceaccount:${context.namespace}:default`)
      assert.match(await execIn(context, running, `cat ${MOUNT}/ca.crt`, container), /^-----BEGIN CERTIFICATE-----/)
      assert.equal(await execIn(context, running, `cat ${MOUNT}/namespace`, container), context.namespace)
    }
  },

  async 'serviceaccount-projected-token'(context) {
    const sources = [{ serviceAccountToken: { path: 'token', audience: 'conformance', expirationSeconds: 3600 } }]
    const volumes = [{ name: 'volume', projected: { sources } }]
    const containers = [shell(context, 'cat /volume/token', { volumeMounts: [{ name: 'volume', mountPath: '/volume' }] })]
    const token = (await outputOf(context, { volumes, containers })).trim()
    const { sub, aud, exp } = claimsOf(token)
    assert.equal(sub, `system:serviceaccount:${context.namespace}:default`)
    assert.deepEqual(aud, ['conformance'])
    assert.ok(exp * 1000 > Date.now())
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: ['conformance'] } }
    const answer = await send(context.client, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', review)
    const { status } = answer.json<{ status: { authenticated?: boolean } }>()
    assert.equal(status.authenticated, true)
  },

  async 'serviceaccount-oidc-discovery'(context) {
    const output = await outputOf(context, { containers: [{ name: 'main', image: context.image, command: ['node', '-e', VERIFY] }] })
    assert.deepEqual(JSON.parse(output), { status: 200, path: '/openid/v1/jwks', sameIssuer: true, verified: true })
  },
}
