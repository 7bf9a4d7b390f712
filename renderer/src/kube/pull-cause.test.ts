import { describe, expect, it } from 'vitest'
import { pullCause } from './pull-cause.ts'

const IMAGE = 'ghcr.io/acme/web:1.2'
const of = (message: string, word = 'ErrImagePull', image = IMAGE) => pullCause(word, message, image, 'ketch')

describe('why an image could not be had', () => {
  it.each([
    ['missing', `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": ${IMAGE}: not found`],
    ['missing', `unexpected status code https://ghcr.io/v2/acme/web/manifests/1.2: 404 Not Found`],
    [
      'denied',
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    ],
    ['denied', 'failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized'],
    ['unreachable', 'failed to do request: Head "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host'],
    [
      'unreachable',
      'failed to do request: Head "https://ghcr.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    ['busy', 'unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit'],
    ['platform', 'no match for platform in manifest: not found'],
    ['space', 'failed to extract layer: write /var/lib/x: no space left on device'],
  ])('is told as %s', (reason, message) => {
    expect(of(message).reason).toBe(reason)
    expect(of(`Back-off pulling image "${IMAGE}": ErrImagePull: ${message}`, 'ImagePullBackOff')).toEqual(of(message))
  })

  it('names the registry, the image in it, and the machine', () => {
    expect(of('not found').text).toMatch(/ghcr\.io has no acme\/web:1\.2\./)
    expect(of('not found', 'ErrImagePull', 'nginx').text).toMatch(/docker\.io has no library\/nginx:latest\./)
    expect(of('no such host').text).toMatch(/ketch does not reach ghcr\.io\./)
  })

  it('goes by the reason where the message says less', () => {
    expect(of('', 'InvalidImageName', 'Not An Image')).toMatchObject({ reason: 'name' })
    expect(of('', 'ErrImageNeverPull').text).toMatch(/not on ketch/)
  })

  it('keeps the words of the runtime where it knows no better', () => {
    expect(of('something new')).toEqual({ reason: 'other', text: 'something new' })
  })
})
