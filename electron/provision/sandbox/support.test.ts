import { describe, expect, it } from 'vitest'
import { sandboxSupport, type HostFacts } from './support.ts'

const ALL = 'CapEff:\t000001ffffffffff\n'

function host(changes: Partial<HostFacts> & { missing?: RegExp; status?: string } = {}): HostFacts {
  return {
    platform: 'linux',
    uid: 0,
    exists: (path) => !changes.missing?.test(path),
    read: () => changes.status ?? ALL,
    ...changes,
  }
}

describe('sandboxSupport', () => {
  it('finds nothing wrong with a Linux system that has everything', async () => {
    expect(await sandboxSupport(host())).toBeNull()
  })

  it('names the platform where it is not Linux', async () => {
    expect(await sandboxSupport(host({ platform: 'darwin' }))).toMatchObject({
      code: 'UNSUPPORTED',
      why: 'It needs Linux, and this is macOS.',
    })
  })

  it('asks for root', async () => {
    expect(await sandboxSupport(host({ uid: 1000 }))).toMatchObject({
      code: 'MISSING_REQUIREMENT',
      next: expect.stringContaining('sudo') as string,
    })
  })

  it('gives the exact command for the packages that are missing, each once', async () => {
    expect(await sandboxSupport(host({ missing: /bridge$|sshd$/ }))).toMatchObject({
      code: 'MISSING_REQUIREMENT',
      why: 'It lacks CNI plugins, OpenSSH server.',
      next: 'Run as root: apt-get update && apt-get install -y --no-install-recommends containernetworking-plugins openssh-server',
    })
    expect(await sandboxSupport(host({ missing: /apt-get$|\/ip$/ }))).toMatchObject({ next: 'Run as root: dnf install -y iproute' })
    expect(await sandboxSupport(host({ missing: /apt-get$|dnf$|zypper$|pacman$|apk$|\/ip$/ }))).toMatchObject({
      next: "Install iproute2 with this system's package manager.",
    })
  })

  it('tells a container without the rights from a real root', async () => {
    expect(await sandboxSupport(host({ status: 'CapEff:\t00000000a80425fb\n' }))).toMatchObject({
      code: 'UNSUPPORTED',
      why: 'Root lacks CAP_NET_ADMIN, CAP_SYS_ADMIN here, as in most containers.',
    })
  })

  it('names a kernel without a namespace', async () => {
    expect(await sandboxSupport(host({ missing: /ns\/cgroup$/ }))).toMatchObject({ why: 'Its kernel has no cgroup namespaces.' })
  })
})
