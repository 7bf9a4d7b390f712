/** What cloud-init reads on the first boot of a user's cloud image: a NoCloud seed. Source: cloud-init's reference, "NoCloud" and "Networking config Version 2". */
import { isoImage } from './iso9660.ts'
import { networkFiles, type GuestIdentity } from './credentials.ts'

/** `instance`: cloud-init begins anew when it changes. JSON is YAML, so nothing has to be quoted by hand. */
export function seedFiles(identity: GuestIdentity, instance: string): { name: string; content: string }[] {
  const { name, authorizedKey, privateHostKey, macs, address } = identity
  const user = {
    hostname: name,
    manage_etc_hosts: true,
    disable_root: false,
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: privateHostKey },
    users: [{ name: 'root', ssh_authorized_keys: [authorizedKey] }],
    growpart: { mode: 'auto', devices: ['/'] },
    // The pods' way to this computer's own loopback is closed, as in our own image.
    bootcmd: [['sh', '-c', 'ip rule add to 10.0.2.2/32 iif flotilla0 prohibit priority 100 2>/dev/null || true']],
    write_files: networkFiles(identity)
      .filter(({ path }) => path.includes('networkd.conf.d'))
      .map(({ path, content }) => ({ path, content })),
  }
  const network = {
    version: 2,
    ethernets: {
      out: {
        match: { macaddress: macs.out },
        addresses: ['10.0.2.15/24'],
        nameservers: { addresses: ['10.0.2.3'] },
        routes: [{ to: '0.0.0.0/0', via: '10.0.2.2', 'on-link': true }],
      },
      segment: { match: { macaddress: macs.segment }, addresses: [address] },
    },
  }
  return [
    { name: 'meta-data', content: `${JSON.stringify({ 'instance-id': instance, 'local-hostname': name })}\n` },
    { name: 'user-data', content: `#cloud-config\n${JSON.stringify(user)}\n` },
    { name: 'network-config', content: `${JSON.stringify(network)}\n` },
  ]
}

/** The seed as a disk that cloud-init finds by its label. */
export function seedImage(identity: GuestIdentity, instance: string, at: Date): Buffer {
  const files = seedFiles(identity, instance).map(({ name, content }) => ({ name, content: Buffer.from(content) }))
  return isoImage('CIDATA', files, at)
}
