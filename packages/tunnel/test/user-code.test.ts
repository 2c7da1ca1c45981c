import t from 'tap'
import { generateUserCode, normaliseUserCode } from '../dist/enrolment/user-code.js'

t.test('a code is two groups of four from the unambiguous alphabet, and normal already', async (t) => {
  const codes = new Set<string>()
  const pattern = /^[BCDFGHJKMNPQRSTVWXY2-9]{4}-[BCDFGHJKMNPQRSTVWXY2-9]{4}$/
  for (let n = 0; n < 2_000; n += 1) {
    const code = generateUserCode()
    codes.add(code)
    if (!pattern.test(code) || normaliseUserCode(code) !== code) t.fail(code)
  }
  t.equal(codes.size, 2_000, 'none twice')
})

t.test('case, spaces and the dash do not matter', async (t) => {
  for (const typed of ['bcdf2345', 'BCDF-2345', ' bcdf 2345 ', 'BcDf–2345', 'b-c-d-f-2-3-4-5']) {
    t.equal(normaliseUserCode(typed), 'BCDF-2345', typed)
  }
})

t.test('what can be no code is none', async (t) => {
  for (const typed of ['', 'BCDF', 'BCDF-23456', 'BCDF-234%', "' OR 1=1", 'ÄÖÜß-2345', '\0\0\0\0\0\0\0\0']) {
    t.equal(normaliseUserCode(typed), undefined, JSON.stringify(typed))
  }
})
