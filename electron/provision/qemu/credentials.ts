/** What our own image is told about itself at each boot, in files that systemd takes from SMBIOS. Source: systemd.system-credentials(7), tmpfiles.d(5). */

export interface GuestIdentity {
  readonly name: string
  /** "ssh-ed25519 AAAA…": may sign in as root. */
  readonly authorizedKey: string
  /** OpenSSH's private format. */
  readonly privateHostKey: string
  readonly macs: { readonly out: string; readonly segment: string }
  /** On the shared segment: "10.78.3.11/24". */
  readonly address: string
}

/** Addresses of QEMU's user network. Source: QEMU's docs/system/devices/net. */
const OUT = { address: '10.0.2.15/24', gateway: '10.0.2.2', dns: '10.0.2.3' }

/**
 * systemd-networkd's files. The gateway stands for this computer's own loopback there: pods, which come in by the bridge `flotilla0`,
 * may go through it but not to it, since what listens on 127.0.0.1 trusts who reaches it.
 */
export function networkFiles({ macs, address }: Pick<GuestIdentity, 'macs' | 'address'>): { path: string; content: string }[] {
  const out = [
    `[Match]\nMACAddress=${macs.out}\n`,
    `[Network]\nAddress=${OUT.address}\nDNS=${OUT.dns}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`,
    `[Route]\nGateway=${OUT.gateway}\nGatewayOnLink=yes\n`,
    `[RoutingPolicyRule]\nTo=${OUT.gateway}/32\nIncomingInterface=flotilla0\nType=prohibit\nPriority=100\n`,
  ]
  const segment = [`[Match]\nMACAddress=${macs.segment}\n`, `[Network]\nAddress=${address}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`]
  return [
    { path: '/etc/systemd/network/10-out.network', content: out.join('\n') },
    { path: '/etc/systemd/network/20-segment.network', content: segment.join('\n') },
    // Pods' routes and rules are the agent's.
    {
      path: '/etc/systemd/networkd.conf.d/flotilla.conf',
      content: '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n',
    },
  ]
}

/** The string of one SMBIOS table: the credential `tmpfiles.extra`. */
export function smbiosCredentials(identity: GuestIdentity): string {
  const file = (path: string, mode: string, content: string) => `f+~ ${path} ${mode} root root - ${Buffer.from(content).toString('base64')}`
  const lines = [
    file('/root/.ssh/authorized_keys', '0600', `${identity.authorizedKey}\n`),
    file('/etc/ssh/ssh_host_ed25519_key', '0600', identity.privateHostKey),
    file('/etc/hostname', '0644', `${identity.name}\n`),
    file('/etc/hosts', '0644', `127.0.0.1 localhost\n127.0.1.1 ${identity.name}\n::1 localhost\n`),
    'd /etc/systemd/networkd.conf.d 0755 root root -',
    ...networkFiles(identity).map(({ path, content }) => file(path, '0644', content)),
  ]
  return `io.systemd.credential.binary:tmpfiles.extra=${Buffer.from(`${lines.join('\n')}\n`).toString('base64')}`
}
