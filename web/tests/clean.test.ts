import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { clean, MustNotLeave } from '../src/cleaning/clean'
import shared from '../../tests/vectors/anonymise.json'

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, 'base64'))

for (const vector of shared.vectors) {
  test(`${vector.name} becomes what it becomes in every language`, async () => {
    const found = await clean(new Blob([bytesOf(vector.input)]), 'file')
    assert.equal(found.format, vector.format)
    assert.deepEqual([...found.fields].sort(), [...vector.fields].sort())
    assert.deepEqual(new Uint8Array(await found.content.arrayBuffer()), bytesOf(vector.output))
  })

  test(`${vector.name}, once clean, stays as it is`, async () => {
    const found = await clean(new Blob([bytesOf(vector.output)]), 'file')
    assert.deepEqual(found.fields, [])
    assert.deepEqual(new Uint8Array(await found.content.arrayBuffer()), bytesOf(vector.output))
  })

  test(`${vector.name}, cut anywhere, is refused or names nobody`, async () => {
    const bytes = bytesOf(vector.input)
    for (let end = 0; end < bytes.length; end += Math.max(1, Math.floor(bytes.length / 97))) {
      try {
        const found = await clean(new Blob([bytes.slice(0, end)]), 'file')
        assert.ok(!/jane|doe|4711/i.test(Buffer.from(await found.content.arrayBuffer()).toString('latin1')))
      } catch (error) {
        assert.ok(error instanceof MustNotLeave, String(error))
      }
    }
  })
}

test('an ISMRMRD file with a subject is refused, with the command that cleans it', async () => {
  const xml = '<subjectInformation><patientName>Doe^Jane</patientName><patientID>xxx</patientID></subjectInformation>'
  const file = new Blob(['', Uint8Array.from([0x89]), 'HDF\r\n\x1a\n', ' '.repeat(5000), xml])
  await assert.rejects(clean(file, 'scan.h5'), (error) => {
    assert.ok(error instanceof MustNotLeave)
    assert.deepEqual(error.fields, ['patientName'])
    assert.match(error.nextStep, /mroptimum anonymise scan\.h5/)
    return true
  })
})

test('an ISMRMRD file that names nobody may go as it is', async () => {
  const file = new Blob([Uint8Array.from([0x89]), 'HDF\r\n\x1a\n', '<patientName>xxxx</patientName>'])
  assert.equal((await clean(file, 'scan.h5')).content, file)
})

test('a compressed image goes as it is, or is refused for what its header says', async () => {
  const vector = shared.vectors.find(({ name }) => name === 'nifti')
  assert.ok(vector)
  await assert.rejects(clean(new Blob([gzipSync(bytesOf(vector.input))]), 'map.nii.gz'), MustNotLeave)
  const packed = new Blob([gzipSync(bytesOf(vector.output))])
  assert.equal((await clean(packed, 'map.nii.gz')).content, packed)
})

test('what nobody knows does not leave', async () => {
  await assert.rejects(clean(new Blob(['\xff\xd8\xff a picture']), 'photo.jpg'), MustNotLeave)
  await assert.rejects(clean(new Blob([]), 'empty.dat'), MustNotLeave)
})
