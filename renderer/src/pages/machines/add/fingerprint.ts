/** "SHA256:…" of a key as known_hosts has it ("ssh-ed25519 AAAA…"), as OpenSSH prints it; "" for what is no such key. */
export async function fingerprintOf(key: string): Promise<string> {
  const encoded = key.split(' ')[1] ?? ''
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 === 1) return ''
  const blob = Uint8Array.from(atob(encoded), (char) => char.codePointAt(0) ?? 0)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', blob))
  return `SHA256:${btoa(String.fromCodePoint(...digest)).replace(/=+$/, '')}`
}
