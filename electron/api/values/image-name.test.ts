import { describe, expect, it } from 'vitest'
import { parseImageName } from './image-name.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

describe('parseImageName', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest', ''],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', ''],
    ['me/app', 'docker.io', 'me/app', 'latest', ''],
    ['index.docker.io/nginx', 'docker.io', 'library/nginx', 'latest', ''],
    ['localhost/app:v1', 'localhost', 'app', 'v1', ''],
    ['registry:5000/a/b', 'registry:5000', 'a/b', 'latest', ''],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io', 'pause', '3.10', ''],
    [`nginx@${DIGEST}`, 'docker.io', 'library/nginx', '', DIGEST],
    [`nginx:1@${DIGEST}`, 'docker.io', 'library/nginx', '1', DIGEST],
  ])('of %s', (text, domain, path, tag, digest) => {
    expect(parseImageName(text)).toEqual({ domain, path, tag, digest })
  })

  it.each(['', 'Nginx', 'nginx:', 'a//b', ' nginx', 'nginx@sha256:1', 'a'.repeat(64)])('%j is none', (text) => {
    expect(parseImageName(text)).toBeNull()
  })
})
