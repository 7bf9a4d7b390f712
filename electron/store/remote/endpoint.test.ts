import { describe, expect, it } from 'vitest'
import { FlotillaError } from '../../base/errors.ts'
import { openEndpoint } from './endpoint.ts'

function target(url: string): string {
  const { client } = openEndpoint(url)
  const found = client.getChannel().getTarget()
  client.close()
  return found
}

describe('the URL of an etcd member', () => {
  it('has a host and a port, which is 2379 where none is given', () => {
    expect(target('http://10.0.0.1:4001')).toBe('dns:10.0.0.1:4001')
    expect(target('https://etcd.example/')).toBe('dns:etcd.example:2379')
    expect(target('http://etcd.example:80')).toBe('dns:etcd.example:80')
    expect(target('127.0.0.1:2379')).toBe('dns:127.0.0.1:2379')
    expect(target('https://[::1]:2379')).toBe('dns:[::1]:2379')
  })

  it('is refused by name when it is anything else', () => {
    for (const url of [
      '',
      'ftp://etcd:2379',
      'http://',
      'http://etcd/v3',
      'http://user:secret@etcd:2379',
      'http://a:2379,http://b:2379',
      'etcd:port',
    ]) {
      expect(() => openEndpoint(url)).toThrow(FlotillaError)
      expect(() => openEndpoint(url)).toThrow(JSON.stringify(url))
    }
  })
})
