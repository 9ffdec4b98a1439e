import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eigenvalues } from '../src/noise/eigenvalues'
import { oddness, withoutPrefix } from '../src/noise/figures'
import { NotAnArchive, readMatrix } from '../src/noise/npz'

// numpy.savez_compressed(file, a=[[2, 1 - 1j], [1 + 1j, 3]])
const ARCHIVE = 'UEsDBC0AAAAIAAAAIQBspeIL//////////8FABQAYS5ucHkBABAAwAAAAAAAAABZAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TbGimrqOgnpZfVFKUmBefX5SSCpJwS8wpTgWKF2ckFqQC+RpGOgpGmjoKtQrkAi4GCHBgQAEf7KH0fjQ+lOaAqwcAUEsBAi0DLQAAAAgAAAAhAGyl4gtZAAAAwAAAAAUAAAAAAAAAAAAAAIABAAAAAGEubnB5UEsFBgAAAAABAAEAMwAAAJAAAAAAAA=='
const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer

test('a complex matrix comes out of a file of NumPy', async () => {
  const matrix = await readMatrix(bytes(ARCHIVE), 'a')
  assert.deepEqual([matrix.n, [...matrix.re], [...matrix.im]], [2, [2, 1, 1, 3], [0, -1, 1, 0]])
  await assert.rejects(readMatrix(bytes(ARCHIVE), 'b'), NotAnArchive)
  await assert.rejects(readMatrix(bytes(ARCHIVE).slice(0, 80), 'a'), NotAnArchive)
})

test('eigenvalues of a Hermitian matrix', async () => {
  const found = eigenvalues(await readMatrix(bytes(ARCHIVE), 'a'))
  // x² - 5 x + 4 = 0
  assert.ok(Math.abs((found[0] ?? 0) - 4) < 1e-14 && Math.abs((found[1] ?? 0) - 1) < 1e-14)
  const diagonal = { n: 3, re: Float64Array.of(1, 0, 0, 0, 9, 0, 0, 0, 5), im: new Float64Array(9) }
  assert.deepEqual(eigenvalues(diagonal), [9, 5, 1])
})

test('dead and hot coils are told from the others', () => {
  const sigma = [1, 1.2, 0.9, 0.1, 8]
  assert.deepEqual(sigma.map((value) => oddness(value, sigma)), [null, null, null, 'dead', 'hot'])
})

test('names of coils are shortened by what they have in common', () => {
  assert.deepEqual(withoutPrefix(['HeadNeck_20_TCS:H12', 'HeadNeck_20_TCS:H11']), ['H12', 'H11'])
  assert.deepEqual(withoutPrefix(['HEA', 'HEP']), ['HEA', 'HEP'], 'letters alone may mean something')
  assert.deepEqual(withoutPrefix(['Body:', 'Body:']), ['Body:', 'Body:'])
  assert.deepEqual(withoutPrefix([]), [])
})
