import { describe, expect, it } from 'vitest'
import { Suspension } from '../../errors.ts'
import { evaluateWhenReady, type Program } from '../../program.ts'
import { toJson } from '../../json.ts'
import { authorizerValues, AUTHORIZER_TYPE, type AuthorizationQuestion } from './authorizer.ts'
import { JSON_PATCH, kubernetesEnvironment } from './kubernetes.ts'

const environment = kubernetesEnvironment(JSON_PATCH).extend({ variables: { authorizer: AUTHORIZER_TYPE } })

function compiled(source: string): Program {
  const { program, message } = environment.compile(source)
  if (!program) throw new Error(message)
  return program
}
const value = (source: string) => toJson(compiled(source).evaluate({}))

describe("Kubernetes' libraries", () => {
  it.each([
    // addresses
    'ip("192.168.0.1").family() == 4 && ip("::1").family() == 6',
    'ip("127.0.0.1").isLoopback() && ip("::1").isLoopback() && !ip("10.0.0.1").isLoopback()',
    'ip("0.0.0.0").isUnspecified() && ip("224.0.0.1").isLinkLocalMulticast() && ip("169.254.1.1").isLinkLocalUnicast()',
    'ip("8.8.8.8").isGlobalUnicast() && ip("10.0.0.1").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast()',
    'isIP("1.2.3.4") && !isIP("1.2.3") && !isIP("fe80::1%eth0") && !isIP("::ffff:1.2.3.4") && !isIP("01.2.3.4")',
    'ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1")',
    'ip("2001:DB8::1") == ip("2001:db8:0::1") && string(ip("2001:DB8::1")) == "2001:db8::1"',
    'type(ip("1.2.3.4")) == net.IP && type(cidr("10.0.0.0/8")) == net.CIDR',
    'cidr("10.0.0.0/8").containsIP("10.1.2.3") && cidr("10.0.0.0/8").containsIP(ip("10.1.2.3")) && !cidr("10.0.0.0/8").containsIP("11.0.0.1")',
    'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && !cidr("10.1.0.0/16").containsCIDR(cidr("10.0.0.0/8"))',
    'cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8") && cidr("10.1.2.3/8").ip() == ip("10.1.2.3") && cidr("::/64").prefixLength() == 64',
    'isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0") && string(cidr("10.1.2.3/8")) == "10.1.2.3/8"',
    // URLs
    'url("https://user@example.com:8080/a%20b?x=1&x=2&y#z").getHost() == "example.com:8080"',
    'url("https://[::1]:80/").getHostname() == "::1" && url("https://example.com").getPort() == ""',
    'url("https://example.com/a b").getEscapedPath() == "/a%20b" && url("HTTPS://example.com").getScheme() == "https"',
    'url("https://example.com/?x=1&x=2&y=a+b").getQuery() == {"x": ["1", "2"], "y": ["a b"]}',
    'isURL("/path") && !isURL("../path") && !isURL("") && !isURL("https://a b/") && url("https://a/b") == url("https://a/b")',
    // quantities
    'quantity("1.5Gi").isGreaterThan(quantity("1500M")) && quantity("100m").isLessThan(quantity("1"))',
    'quantity("1k").compareTo(quantity("1000")) == 0 && quantity("1k") == quantity("1000")',
    'quantity("1k").add(quantity("1")).asInteger() == 1001 && quantity("1k").sub(1).asInteger() == 999 && quantity("5").add(2).asInteger() == 7',
    'isQuantity("1e3") && !isQuantity("1x") && sign(quantity("-5m")) == -1 && !quantity("50m").isInteger() && quantity("50k").isInteger()',
    'quantity("50m").asApproximateFloat() == 0.05',
    // versions
    'semver("1.2.3").major() == 1 && semver("1.2.3").minor() == 2 && semver("1.2.3").patch() == 3',
    'semver("1.0.0-alpha").isLessThan(semver("1.0.0-alpha.1")) && semver("1.0.0-alpha.9").isLessThan(semver("1.0.0-alpha.10"))',
    'semver("1.0.0").isGreaterThan(semver("1.0.0-rc.1")) && semver("1.0.0+a").compareTo(semver("1.0.0+b")) == 0',
    'isSemver("1.2.3") && !isSemver("v1.2.3") && isSemver("v1.2", true) && !isSemver("1.02.3") && semver("v01.2", true) == semver("1.2.0")',
    // formats
    '!format.dns1123Label().validate("a-b").hasValue() && format.dns1123Label().validate("a.b").hasValue()',
    '!format.dns1123LabelPrefix().validate("a-").hasValue() && format.dns1035Label().validate("1a").hasValue()',
    'format.named("labelValue").value().validate("-a").value().size() == 1 && !format.named("nothing").hasValue()',
    'format.datetime().validate("yesterday") == optional.of(["invalid datetime"]) && !format.date().validate("2026-02-28").hasValue()',
    'format.uuid().validate("x").value() == ["does not match the UUID format"] && format.byte().validate("?").hasValue()',
    // lists
    '[1, 2, 2].isSorted() && !["b", "a"].isSorted() && [1.5, 2.5].sum() == 4.0 && [duration("1s"), duration("2s")].sum() == duration("3s")',
    '[3, 1, 2].max() == 3 && ["b", "a"].min() == "a" && [1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1',
    '[[1, 2], [3]].flatten() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [1, 2, 3].slice(1, 3) == [2, 3] && lists.range(3) == [0, 1, 2]',
    '[3, 1, 2].sort() == [1, 2, 3] && ["aa", "b"].sortBy(x, x.size()) == ["b", "aa"] && [1, 2].reverse() == [2, 1]',
    'sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [2, 1])',
    // regular expressions and strings
    '"abc 123 def 45".find("[0-9]+") == "123" && "abc".find("[0-9]") == "" && "1 2 3".findAll("[0-9]", 2) == ["1", "2"]',
    '"a,b".split(",") == ["a", "b"] && ["a", "b"].join("-") == "a-b" && "😀b".charAt(1) == "b" && "Abc".lowerAscii() == "abc"',
    'jsonpatch.escapeKey("a/b~c") == "a~1b~0c"',
    '"%s is %d, not %s".format(["a", 1, [true]]) == "a is 1, not [true]"',
    '"%f %.2f %.0f".format([1.0, 12345.678, 2.5]) == "1.000000 12,345.68 2"',
    '"%e %.2e".format([3.14, 0.00123]) == "3.140000×10⁰⁰ 1.23×10⁻⁰³"',
    '"%s %s".format([["a", "b"], {"b": 1.5, "a": 2.0}]) == "[\\"a\\", \\"b\\"] {\\"a\\":2.000000, \\"b\\":1.500000}"',
    '"%d %x %b %s".format([7, 255, true, duration("1m")]) == "7 ff 1 60s"',
    // optionals and two variables
    '{"a": 1}[?"b"].orValue(2) == 2 && {"a": {"b": 1}}.?a.?b.optMap(x, x + 1).value() == 2 && [?optional.none(), ?optional.of(1)] == [1]',
    '{"a": 1, "b": 2}.exists(k, v, k == "b" && v == 2) && [5, 6].transformMap(i, v, v * 2) == {0: 10, 1: 12}',
  ])('%s', (source) => expect(value(source)).toBe(true))

  it.each([
    ['quantity("1x")', 'quantities must match the regular expression'],
    ['quantity("50m").asInteger()', 'cannot convert value to integer'],
    ['ip("x")', 'IP Address "x" parse error during conversion from string: ParseAddr("x"): unable to parse IP'],
    ['url("x")', 'URL parse error during conversion from string: parse "x": invalid URI for request'],
    ['semver("1.2")', 'No Major.Minor.Patch elements found'],
    ['[1][5]', 'index out of bounds: 5'],
    ['{"a": 1}["b"]', 'no such key: b'],
    ['[1].filter(x, x > 1).max()', 'max called on empty list'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['1 / 0', 'division by zero'],
    ['lists.range(2000000000)', 'operation cancelled: actual cost limit exceeded'],
  ])('%s fails', (source, why) => expect(() => value(source)).toThrow(why))

  it.each([
    ['cel.bind(x, 1, x)', "undeclared reference to 'cel' (in container '')"],
    ['1 + "a"', "found no matching overload for '_+_' applied to '(int, string)'"],
    ['[1, "a"]', "expected type 'int' but found 'string'"],
    ['"a".all(x, true)', "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['duration("x")', 'invalid duration argument'],
    ['"a".matches("(")', 'invalid matches argument'],
    ['has(1)', 'invalid argument to has() macro'],
    ['.all(x, true)', "undeclared reference to '.all' (in container '')"],
    ['1 +', "Syntax error: mismatched input '<EOF>' expecting"],
    [`${'('.repeat(300)}1${')'.repeat(300)}`, 'expression recursion limit exceeded: 250'],
  ])('%s is refused', (source, why) => expect(environment.compile(source).message).toContain(why))
})

describe('the authorizer', () => {
  const source = 'authorizer.group("apps").resource("deployments").namespace("a").check("create").allowed()'

  function asker(allowed: (question: AuthorizationQuestion) => boolean) {
    const asked: AuthorizationQuestion[] = []
    const ask = async (question: AuthorizationQuestion) => {
      asked.push(question)
      return { allowed: allowed(question), reason: 'because' }
    }
    return { asked, ...authorizerValues(ask, { group: '', resource: 'pods' }) }
  }

  it('is waited for, and asked once for the same', async () => {
    const { authorizer, asked } = asker(({ verb }) => verb === 'create')
    const program = compiled(`${source} && !authorizer.path("/x").check("get").allowed()`)
    expect(() => program.evaluate({ authorizer })).toThrow(Suspension)
    expect(await evaluateWhenReady(program, { authorizer })).toBe(true)
    expect(await evaluateWhenReady(compiled(`${source} && ${source}`), { authorizer })).toBe(true)
    expect(asked).toEqual([
      {
        verb: 'create',
        resource: {
          group: 'apps',
          resource: 'deployments',
          namespace: 'a',
          subresource: '',
          name: '',
          fieldSelector: '',
          labelSelector: '',
        },
      },
      { verb: 'get', path: '/x' },
    ])
  })

  it('is asked for service accounts too', async () => {
    const { authorizer, asked } = asker(() => false)
    const other = 'authorizer.serviceAccount("a", "b").group("").resource("pods").check("get").reason() == "because"'
    expect(await evaluateWhenReady(compiled(other), { authorizer })).toBe(true)
    expect(asked[0]?.serviceAccount).toEqual({ namespace: 'a', name: 'b' })
  })

  it('says why it has no answer', async () => {
    const { authorizer } = authorizerValues(() => Promise.reject(new Error('it is asleep')), { group: '', resource: 'pods' })
    const program = compiled('authorizer.path("/x").check("get").error()')
    expect(await evaluateWhenReady(program, { authorizer })).toBe('it is asleep')
  })

  it('is affordable twice in an expression', async () => {
    const { authorizer } = asker(() => true)
    const check = (path: string) => `authorizer.path("${path}").check("get").allowed()`
    expect(await evaluateWhenReady(compiled([check('/a'), check('/b')].join(' && ')), { authorizer })).toBe(true)
    await expect(evaluateWhenReady(compiled([check('/a'), check('/b'), check('/c')].join(' && ')), { authorizer })).rejects.toThrow(
      'actual cost limit exceeded',
    )
  })
})
