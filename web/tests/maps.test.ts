import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference, ratio } from '../src/maps/differences'
import { edged, edgeOf, insideOf } from '../src/maps/edges'
import { histogram } from '../src/maps/histogram'
import { csv, measure } from '../src/maps/measuring'
import { Regions } from '../src/maps/regions'
import { ellipse, fill, outline, rectangle, stroke } from '../src/maps/shapes'
import { statistics } from '../src/maps/statistics'
import { halfWidthOf95 } from '../src/maps/student'
import { coincide, compressed, fileLike, millimetres, NotAVolume, readVolume, voxelVolume, type Volume } from '../src/maps/volume'
import { defaultWindow, digits, dragged } from '../src/maps/window'

const SHAPE = [6, 5, 2] as const
const AXIAL = { axis: 2, index: 1 }

/** A map of 6 x 5 x 2 voxels of 2 x 3 x 4 mm, stored by big or little machines. */
function mapFile(values: readonly number[], little = true): ArrayBuffer {
  const file = new ArrayBuffer(352 + 4 * values.length)
  const view = new DataView(file)
  view.setInt32(0, 348, little)
  view.setUint8(39, 3 << 4)
  ;[3, ...SHAPE, 1, 1, 1, 1].forEach((n, index) => view.setInt16(40 + 2 * index, n, little))
  view.setInt16(70, 16, little)
  view.setInt16(72, 32, little)
  view.setFloat32(108, 352, little)
  view.setFloat32(112, 1, little)
  view.setUint8(123, 2)
  view.setInt16(254, 1, little)
  const rows = [2, 0, 0, -10, 0, 3, 0, -20, 0, 0, 4, 5]
  rows.forEach((value, index) => view.setFloat32(280 + 4 * index, value, little))
  values.forEach((value, index) => view.setFloat32(352 + 4 * index, value, little))
  return file
}
const counted = Array.from({ length: 60 }, (_, index) => index)

test('t is that of the tables', () => {
  // From scipy.special.stdtrit(ν, 0.975).
  const known = { 1: 12.706204736174694, 2: 4.302652729749462, 3: 3.1824463052837078, 10: 2.228138851986274 }
  for (const [degrees, t] of Object.entries(known)) assert.ok(Math.abs(halfWidthOf95(Number(degrees)) / t - 1) < 1e-12)
  const large = { 399: 1.965927295920882, 400: 1.9659123432294627, 100000: 1.9599877075346095 }
  for (const [degrees, t] of Object.entries(large)) assert.ok(Math.abs(halfWidthOf95(Number(degrees)) / t - 1) < 1e-10)
})

test('statistics of a few numbers', () => {
  const found = statistics([4, 0, Number.NaN, 2, 6])
  assert.ok(found?.interval)
  assert.deepEqual([found.n, found.nZero, found.nWithoutValue, found.mean, found.median, found.min, found.max], [4, 1, 1, 3, 3, 0, 6])
  assert.ok(Math.abs((found.sd ?? 0) - Math.sqrt(20 / 3)) < 1e-15)
  assert.ok(Math.abs(found.interval[1] - (3 + (3.1824463052837078 * Math.sqrt(20 / 3)) / 2)) < 1e-12)
  assert.deepEqual([statistics([7])?.sd, statistics([7])?.interval], [null, null])
  assert.equal(statistics([Number.NaN]), null)
})

test('small parts of a large sum are not lost', () => {
  assert.equal(statistics([1e16, 1, -1e16, 1])?.mean, 0.5)
})

test('a volume is read whichever machine wrote it, packed or not', async () => {
  for (const little of [true, false]) {
    for (const file of [mapFile(counted, little), await compressed(mapFile(counted, little))]) {
      const map = await readVolume(file)
      assert.deepEqual([map.shape, map.sliceAxis, map.isPlaced, voxelVolume(map)], [[6, 5, 2], 2, true, 24])
      assert.deepEqual([...map.values], counted)
      assert.deepEqual(millimetres(map, [1, 2, 1]), [-8, -14, 9])
    }
  }
})

test('what is no volume is refused', async () => {
  await assert.rejects(readVolume(new ArrayBuffer(10)), NotAVolume)
  await assert.rejects(readVolume(mapFile(counted).slice(0, 400)), NotAVolume)
  await assert.rejects(readVolume((await compressed(mapFile(counted))).slice(0, 60)), NotAVolume)
})

test('a mask is written on the voxels of its map, whichever machine wrote that', async () => {
  for (const little of [true, false]) {
    const map = await readVolume(mapFile(counted, little))
    const mask = await readVolume(await compressed(fileLike(map, new Uint8Array(60).fill(1, 3, 5), 'Größe')))
    assert.ok(coincide(mask, map))
    assert.ok(mask.values instanceof Uint8Array)
    assert.deepEqual([mask.values.indexOf(1), mask.values.lastIndexOf(1)], [3, 4])
  }
})

test('grids of other places are other grids', async () => {
  const map = await readVolume(mapFile(counted))
  const moved: Volume = { ...map, affine: map.affine.map((row, index) => (index ? row : [2, 0, 0, -9.8])) }
  assert.equal(coincide(map, moved), false)
  assert.equal(coincide(map, { ...moved, affine: map.affine.map((row, index) => (index ? row : [2, 0, 0, -9.95])) }), true)
})

test('a rectangle holds both its corners and ends at the edge', () => {
  assert.deepEqual([...rectangle(SHAPE, AXIAL, [4, 1], [9, 2])], [30 + 6 + 4, 30 + 6 + 5, 30 + 12 + 4, 30 + 12 + 5])
  assert.equal(rectangle(SHAPE, { axis: 0, index: 2 }, [0, 0], [4, 1]).length, 10)
})

test('an ellipse holds the centres in and on it', () => {
  assert.equal(ellipse(SHAPE, AXIAL, [2, 2], [1, 1]).length, 5)
  assert.equal(ellipse(SHAPE, AXIAL, [2, 2], [2, 1]).length, 7)
})

test('an outline, a stroke and a fill', async () => {
  assert.equal(outline(SHAPE, AXIAL, [[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]]).length, 9)
  assert.equal(stroke(SHAPE, AXIAL, [[1, 1], [4, 1]], 0.4).length, 4)
  const { values } = await readVolume(mapFile(counted))
  // Values 30 to 59 in rows of six: those up to 40 hang together below row 2.
  assert.deepEqual([...fill(SHAPE, values, AXIAL, [0, 0], 30, 40)], Array.from({ length: 11 }, (_, index) => 30 + index))
})

test('every step with regions can be taken back, and one that begins a region is one step', () => {
  const regions = new Regions(SHAPE)
  regions.draw(Uint32Array.of(3, 4), true)
  regions.draw(Uint32Array.of(4), false)
  regions.rename(regions.all[0]?.id ?? 0, 'vessel')
  assert.deepEqual([regions.all[0]?.name, regions.all[0]?.voxels[4]], ['vessel', 0])
  regions.undo()
  regions.undo()
  assert.deepEqual([regions.all[0]?.name, regions.all[0]?.voxels[4]], ['region 1', 1])
  regions.undo()
  assert.deepEqual([regions.all.length, regions.canUndo], [0, false])
})

test('regions may overlap; the later lies on top, and each keeps its voxels', () => {
  const regions = new Regions(SHAPE)
  regions.draw(Uint32Array.of(3, 4), true)
  regions.add({ name: 'second' })
  regions.draw(Uint32Array.of(4, 5), true)
  assert.deepEqual([...regions.labels().slice(2, 7)], [0, 1, 2, 2, 0])
  assert.deepEqual(regions.all.map(({ voxels }) => voxels.reduce((sum, voxel) => sum + voxel, 0)), [2, 2])
})

test('an eraser without a region does nothing', () => {
  const regions = new Regions(SHAPE)
  regions.draw(Uint32Array.of(1), false)
  assert.deepEqual([regions.all.length, regions.canUndo], [0, false])
})

test('measurements have areas on one slice and volumes on several', async () => {
  const map = await readVolume(mapFile(counted))
  const regions = new Regions(SHAPE)
  regions.add({ name: '=flat', voxels: new Uint8Array(60).fill(1, 30, 34) })
  regions.add({ name: 'deep', voxels: new Uint8Array(60).fill(1) })
  const [flat, deep] = measure(regions.all, map)
  assert.deepEqual([flat?.areaMm2, flat?.volumeMm3, deep?.areaMm2, deep?.volumeMm3], [24, 96, null, 1440])
  const text = csv([{ name: 'SNR', id: 0, unit: '1', measurements: measure(regions.all, map) }])
  assert.match(text, /^region,map,map_id,unit,n_voxels,/)
  assert.match(text, /\n'=flat,SNR,0,1,4,0,0,96,31\.5,/)
})

test('a histogram counts every value once', () => {
  const { centres, counts } = histogram([Float64Array.of(0, 1, 2, 3, Number.NaN), Float64Array.of(3, 3)])
  assert.equal(centres.length, 8)
  assert.deepEqual(counts.map((of_one) => of_one.reduce((sum, count) => sum + count, 0)), [4, 2])
  assert.deepEqual(histogram([new Float64Array()]).centres, [])
})

test('windows', () => {
  assert.deepEqual(defaultWindow([0, 0, ...Array.from({ length: 101 }, (_, index) => 100 + index)]), [102, 198])
  assert.deepEqual(defaultWindow([0, ...Array.from({ length: 101 }, (_, index) => 1 + index)]), [0, 99])
  assert.deepEqual(defaultWindow([0, 0]), [0, 1])
  assert.deepEqual(dragged([0, 10], 0, 0.5), [5, 15])
  const [low, high] = dragged([0, 10], 0.5, 0)
  assert.ok(Math.abs(high - low - 10 * Math.E) < 1e-12 && Math.abs(low + high - 10) < 1e-12)
  assert.deepEqual([digits(123.456), digits(0), digits(1.5e-9), digits(null)], ['123.5', '0', '1.500e-9', '–'])
})

test('differences and ratios leave out what has no value', () => {
  const [a, b] = [Float32Array.of(2, 4, 0, Number.NaN), Float32Array.of(4, 2, 1, 1)]
  assert.deepEqual([...ratio(a, b)], [2, 0.5, 0, 0])
  const found = difference(a, b, [1, 1, 1, 1])
  assert.deepEqual([found?.n, found?.mean, found?.median, found?.meanRatio], [3, 1 / 3, 1, 1.25])
  assert.equal(difference(a, b, [0, 0, 0, 1]), null)
})

test('the edge of a region is told from what is inside, slice by slice', () => {
  const shape = [5, 5, 2] as const
  const box = new Uint8Array(50)
  for (const [x, y, z] of [0, 1].flatMap((z) => [1, 2, 3].flatMap((y) => [1, 2, 3].map((x) => [x, y, z] as const)))) box[x + 5 * (y + 5 * z)] = 1
  const drawn = edged(box, shape, 2)
  assert.equal(drawn[2 + 5 * 2], insideOf(1))
  assert.equal([...drawn].filter((value) => value === insideOf(1)).length, 2, 'one a slice')
  assert.equal([...drawn].filter((value) => value === edgeOf(1)).length, 16)
  assert.equal([...edged(new Uint8Array(50).fill(3), shape, 2)].filter((value) => value === edgeOf(3)).length, 32, 'the rim of the picture')
  assert.ok(edged(new Uint8Array(50), shape, 2).every((value) => value === 0))
})
