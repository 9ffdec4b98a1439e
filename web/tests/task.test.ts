import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lackingIn, problemsOf } from '../src/job_form/problems'
import { documentOf, valuesOf, type Files } from '../src/job_form/task'
import { INITIAL, isAsked, type Values } from '../src/job_form/values'

const FILES: Files = new Map(
  ['signal', 'noise', 'maps', 'mask', 'angle'].map((name) => [
    `data_${name}`,
    { filename: `${name}.dat`, bucket: 'bucket', key: `uploads/data_${name}` },
  ]),
)
const reference = (name: string, more = {}) => ({
  type: 'file',
  options: { type: 's3', filename: `${name}.dat`, bucket: 'bucket', key: `uploads/data_${name}`, ...more },
})
const values = (changes: Partial<Values>): Values => ({ ...INITIAL, noise: 'file', noiseFile: 'data_noise', ...changes })
const inner = (document: { task: Record<string, unknown> }) =>
  (document.task['options'] as { reconstructor: { options: Record<string, unknown> } }).reconstructor.options

test('the plainest task says nothing that nobody said', () => {
  assert.deepEqual(documentOf(values({}), 'data_signal', FILES), {
    task: {
      name: 'ac',
      options: { reconstructor: { name: 'rss', options: { signal: reference('signal'), noise: reference('noise') } } },
    },
    output: { coilsensitivity: false, gfactor: true, matlab: false },
  })
})

test('what a method does not need is not asked, and not sent', () => {
  const analytic = values({ method: 'ac', replicas: '20', boxSize: '9', seed: '7' })
  assert.ok(!isAsked('replicas', analytic) && !isAsked('boxSize', analytic) && !isAsked('seed', analytic))
  assert.deepEqual(Object.keys(documentOf(analytic, 'data_signal', FILES).task['options'] as object), ['reconstructor'])
  const boxes = documentOf(values({ method: 'cr', replicas: '4', boxSize: '9' }), 'data_signal', FILES)
  assert.equal((boxes.task['options'] as { NR: number }).NR, 4)
})

test('two accelerated directions are asked of a slab for sense alone', () => {
  const slab = values({ reconstruction: 'sense', acquisition: '3', accelerationY: '2', accelerationZ: '3', acsZ: '12' })
  const { accelerations, acl } = inner(documentOf(slab, 'data_signal', FILES))
  assert.deepEqual([accelerations, acl], [[1, 2, 3], [null, null, 12]])
  assert.ok(!isAsked('accelerationZ', values({ reconstruction: 'grappa', acquisition: '3' })))
})

const EVERYTHING: Partial<Values>[] = [
  {},
  { noise: 'multiraid', noiseFile: '' },
  { noise: 'repetitions', noiseFile: '', secondFile: 'data_noise' },
  { noise: 'kspace_edge', noiseFile: '', method: 'pmr', replicas: '50', seed: '3', noiseDomain: 'kspace' },
  { reconstruction: 'sense', decimate: true, accelerationY: '3', acsY: '24', coilMaps: 'espirit', coilsensitivity: true },
  { reconstruction: 'grappa', method: 'pmr', keepAcs: true, kernelX: '5', kernelY: '4', accelerationY: '2', matlab: true, gfactor: false },
  { reconstruction: 'b1', loadMaps: true, mapsFile: 'data_maps', mask: 'upload', maskFile: 'data_mask' },
  { reconstruction: 'b1', coilMaps: 'bodycoil', mapsFile: 'data_maps', mask: 'percentage', maskValue: '7.5' },
  { method: 'cr', replicas: '4', boxSize: '2', flipAngleFile: 'data_angle' },
]
for (const [number, changes] of EVERYTHING.entries()) {
  test(`task ${number} comes back as it was saved`, () => {
    const said = values(changes)
    const document = documentOf(said, 'data_signal', FILES)
    const back = valuesOf(JSON.parse(JSON.stringify(document)), FILES)
    assert.equal(back.signal, 'data_signal')
    assert.deepEqual(back.missing, [])
    assert.deepEqual(documentOf(back.values, back.signal, FILES), document)
  })
}

test('a task of other files says which are missing', () => {
  const document = documentOf(values({}), 'data_signal', FILES)
  const back = valuesOf(document, new Map([...FILES].filter(([id]) => id !== 'data_noise')))
  assert.deepEqual(back.missing, ['noise: noise.dat'])
})

test('what is wrong stands beside its field', () => {
  const message =
    'The task is not valid: task.options.NR: input should be less than or equal to 10000; ' +
    'task: cr needs boxSize, the half-width of its box; task.options.reconstructor.options.signal: field required.'
  assert.deepEqual(problemsOf(message), [
    { field: 'replicas', text: 'input should be less than or equal to 10000' },
    { field: 'boxSize', text: 'cr needs boxSize, the half-width of its box' },
    { field: null, text: 'field required' },
  ])
})

test('a file that was promised and not chosen is missed before anybody is asked', () => {
  const missed = (changes: Partial<Values>) => lackingIn(values(changes)).map(({ field }) => field)
  assert.deepEqual(missed({}), [])
  assert.deepEqual(missed({ noiseFile: '' }), ['noiseFile'])
  assert.deepEqual(missed({ noise: 'none', noiseFile: '' }), [])
  assert.deepEqual(missed({ reconstruction: 'b1', loadMaps: true, mask: 'upload' }), ['mapsFile', 'maskFile'])
  assert.deepEqual(missed({ reconstruction: 'sense', coilMaps: 'bodycoil' }), ['mapsFile'])
  assert.deepEqual(missed({ reconstruction: 'rss', coilMaps: 'bodycoil' }), [], 'no maps are asked for here')
  assert.deepEqual(missed({ mask: 'percentage' }), ['maskValue'])
})
