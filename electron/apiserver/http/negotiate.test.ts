import { describe, expect, it } from 'vitest'
import { inputFormat, Negotiator } from './negotiate.ts'

const NONE = new URLSearchParams()
const output = (accept: string | undefined, { query = NONE, transforms = true, agent = '' } = {}) => {
  const headers = { ...(accept === undefined ? {} : { accept }), 'user-agent': agent }
  const { format, pretty, transform, version } = new Negotiator().output(headers, query, transforms)
  return [format, ...(transform ? [transform, version] : []), ...(pretty ? ['pretty'] : [])].join(' ')
}
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

describe('the output', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json'],
    ['application/yaml', 'yaml'],
    ['application/json;q=0.1, application/yaml', 'yaml'],
    [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'json Table v1'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'json Table v1beta1'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'json PartialObjectMetadataList v1'],
    ['application/json;as=Chair;v=v1;g=meta.k8s.io,application/yaml', 'yaml'],
    ['application/json;stream=watch', 'json'],
  ])('for %j is %s', (accept, expected) => {
    expect(output(accept)).toBe(expected)
  })

  it('for people is indented', () => {
    expect(output(undefined, { agent: 'curl/8' })).toBe('json pretty')
    expect(output(undefined, { query: new URLSearchParams('pretty=true') })).toBe('json pretty')
    expect(output(undefined, { agent: 'curl/8', query: new URLSearchParams('pretty=false') })).toBe('json')
  })

  it('that nobody can make is refused', () => {
    expect(() => output('text/html')).toThrow(
      expect.objectContaining({ code: 406, message: 'only the following media types are accepted: application/json, application/yaml' }),
    )
    expect(() => output(TABLE, { transforms: false })).toThrow(expect.objectContaining({ code: 406 }))
  })
})

describe('the input', () => {
  it.each([
    [undefined, 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/yaml', 'yaml'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
  ])('of type %j is %s', (type, expected) => {
    expect(inputFormat(type)).toBe(expected)
  })

  it('of another type is refused', () => {
    expect(() => inputFormat('text/plain')).toThrow(
      expect.objectContaining({
        code: 415,
        message:
          'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      }),
    )
  })
})
