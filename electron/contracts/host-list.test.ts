import { expect, it } from 'vitest'
import { parseHostList, POOL_LABEL } from './host-list.ts'

const short = (text: string) =>
  parseHostList(text).hosts.map(({ user, host, port, name, labels }) =>
    [`${user ?? ''}@${host}:${port}`, name, ...Object.entries(labels).map((pair) => pair.join('='))].join(' '),
  )

it('takes one host a line, with who signs in, a port, a name, labels and comments', () => {
  expect(
    short(`
# the attic
build-1.example
ana@192.0.2.7:2222   name=attic label=disk=ssd label=zone=a=b   ; old one
ssh://root@moth.local/
2001:db8::7
bob@[2001:db8::8]:22 pool=gpu
`),
  ).toEqual([
    '@build-1.example:22 build-1',
    'ana@192.0.2.7:2222 attic disk=ssd zone=a=b',
    'root@moth.local:22 moth',
    '@2001:db8::7:22 node-2001-db8-7',
    `bob@2001:db8::8:22 node-2001-db8-8 ${POOL_LABEL}=gpu`,
  ])
})

it('takes a hosts file, without what is this computer itself', () => {
  const text = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.5\tworker-5.lan worker-5 # rack 2\n10.0.0.6 Worker_6'
  expect(short(text)).toEqual(['@10.0.0.5:22 worker-5', '@10.0.0.6:22 worker-6'])
})

it('takes an inventory of Ansible, whose groups are pools', () => {
  const text = `
[gpu]
moth ansible_host=10.0.0.7 ansible_user=ana ansible_port=2200 ansible_python_interpreter=/usr/bin/python3
[gpu:vars]
some=thing
[all]
wasp.lan
`
  expect(short(text)).toEqual([`ana@10.0.0.7:2200 moth ${POOL_LABEL}=gpu`, '@wasp.lan:22 wasp'])
})

it('says line by line what it cannot read, and goes on', () => {
  const { hosts, faults } = parseHostList('moth\nmoth\nbad:99999\nbee name=-\nana@\nfly speed=fast\nant')
  expect(hosts.map(({ name }) => name)).toEqual(['moth', 'ant'])
  expect(faults.map(({ line, why }) => [line, why])).toEqual([
    [2, 'twice'],
    [3, 'port'],
    [4, 'name'],
    [5, 'address'],
    [6, 'word'],
  ])
})
