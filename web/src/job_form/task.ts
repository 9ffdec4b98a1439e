// The form's values as a task of schema v0, and a task as the form's values; files go by the id of a data file.
import { INITIAL, isAsked, type Field, type FileRef, type Method, type Reconstruction, type Values } from './values'

export type Files = ReadonlyMap<string, FileRef>
type Json = { [key: string]: unknown }

/** Returns the document that is submitted for one signal. */
export function documentOf(values: Values, signal: string, files: Files): { task: Json; output: Json } {
  const said = <F extends Field>(field: F): Values[F] | undefined => {
    const value = values[field]
    return isAsked(field, values) && value !== '' ? value : undefined
  }
  const number = (field: Field): number | undefined => asNumber(said(field))
  const isSlab = said('acquisition') === '3'
  const reconstruction: Json = { signal: referenceTo(signal, files, values.noise === 'multiraid') }
  reconstruction['noise'] = noiseOf(values, signal, files)
  const accelerations = [number('accelerationY'), number('accelerationZ')]
  if (accelerations.some((each) => each !== undefined)) {
    reconstruction['accelerations'] = isSlab
      ? [1, accelerations[0] ?? 1, accelerations[1] ?? 1]
      : [1, accelerations[0] ?? 1]
  }
  const acs = [number('acsY'), number('acsZ')]
  if (acs.some((each) => each !== undefined)) {
    reconstruction['acl'] = isSlab ? [null, acs[0] ?? null, acs[1] ?? null] : [null, acs[0] ?? null]
  }
  if (said('decimate')) reconstruction['decimate'] = true
  if (number('kernelX') !== undefined || number('kernelY') !== undefined) {
    reconstruction['kernelSize'] = [number('kernelX') ?? null, number('kernelY') ?? null]
  }
  if (said('keepAcs')) reconstruction['keepAcs'] = true
  if (said('gfactor') === false) reconstruction['gfactor'] = false
  const maps = mapsOf(values, files)
  if (Object.keys(maps).length) reconstruction['sensitivityMap'] = { options: maps }
  if (said('flipAngleFile')) {
    reconstruction['correction'] = { useCorrection: true, faCorrection: referenceTo(values.flipAngleFile, files) }
  }
  const options: Json = {
    NR: number('replicas'),
    boxSize: number('boxSize'),
    seed: number('seed') || undefined,
    noiseDomain: said('noiseDomain') === 'kspace' ? 'kspace' : undefined,
    reconstructor: { name: values.reconstruction, options: withoutGaps(reconstruction) },
  }
  const task: Json = { name: values.method, acquisition: asNumber(said('acquisition')), options: withoutGaps(options) }
  const output: Json = {
    coilsensitivity: said('coilsensitivity') ?? false,
    gfactor: said('gfactor') ?? true,
    matlab: values.matlab,
  }
  return { task: withoutGaps(task), output }
}

/** Returns the form's values for a task, and what of it the form cannot show. */
export function valuesOf(document: unknown, files: Files): { values: Values; signal: string; missing: string[] } {
  const whole = asJson(document)
  const task = 'task' in whole ? asJson(whole['task']) : whole
  const output = asJson(whole['output'])
  const options = asJson(task['options'])
  const reconstructor = asJson(options['reconstructor'])
  const inner = asJson(reconstructor['options'])
  const maps = asJson(asJson(inner['sensitivityMap'])['options'])
  const mask = typeof maps['mask'] === 'string' ? { method: maps['mask'] } : asJson(maps['mask'])
  const correction = asJson(inner['correction'])
  const noise = asJson(inner['noise'])
  const estimate = asJson(noise['options'])
  const missing: string[] = []
  const file = (reference: unknown, role: string): string => {
    if (reference === undefined || reference === null) return ''
    const { key, filename } = asJson(asJson(reference)['options'])
    for (const [id, known] of files) if (known.key === key) return id
    missing.push(`${role}: ${String(filename ?? '?')}`)
    return ''
  }
  const [, accelerationY, accelerationZ] = asList(inner['accelerations'])
  const [, acsY, acsZ] = asList(inner['acl'])
  const [kernelX, kernelY] = asList(inner['kernelSize'])
  const signal = file(inner['signal'], 'signal')
  const isMultiraid = asJson(asJson(inner['signal'])['options'])['multiraid'] === true
  const values: Values = {
    ...INITIAL,
    method: lower(task['name'], INITIAL.method) as Method,
    reconstruction: lower(reconstructor['name'], INITIAL.reconstruction) as Reconstruction,
    noise:
      noise['type'] === 'estimate'
        ? (lower(estimate['source'], 'repetitions') as Values['noise'])
        : noise['type']
          ? 'file'
          : isMultiraid
            ? 'multiraid'
            : 'none',
    noiseFile: noise['type'] && noise['type'] !== 'estimate' ? file(noise, 'noise') : '',
    secondFile: noise['type'] === 'estimate' ? file(estimate['file'], 'second repetition') : '',
    acquisition: text(task['acquisition']) as Values['acquisition'],
    decimate: inner['decimate'] === true,
    accelerationY: text(accelerationY),
    accelerationZ: text(accelerationZ),
    acsY: text(acsY),
    acsZ: text(acsZ),
    kernelX: text(kernelX),
    kernelY: text(kernelY),
    keepAcs: inner['keepAcs'] === true,
    coilMaps: lower(maps['sensitivityMapMethod'], INITIAL.coilMaps),
    loadMaps: maps['loadSensitivity'] === true,
    mapsFile: file(maps['sensitivityMapSource'], 'coil maps'),
    mask: lower(mask['method'], INITIAL.mask),
    maskValue: text(mask['value']),
    maskFile: file(mask['file'], 'mask'),
    replicas: text(options['NR']) || INITIAL.replicas,
    boxSize: text(options['boxSize']) || INITIAL.boxSize,
    seed: text(options['seed']) || INITIAL.seed,
    noiseDomain: lower(options['noiseDomain'], INITIAL.noiseDomain),
    flipAngleFile: correction['useCorrection'] === true ? file(correction['faCorrection'], 'flip-angle map') : '',
    gfactor: output['gfactor'] !== false,
    coilsensitivity: output['coilsensitivity'] === true,
    matlab: output['matlab'] === true,
  }
  return { values, signal, missing }
}

function noiseOf(values: Values, signal: string, files: Files): Json | undefined {
  if (values.noise === 'none' || values.noise === 'multiraid') return undefined
  if (values.noise === 'file') return values.noiseFile ? referenceTo(values.noiseFile, files) : undefined
  const second = values.noise === 'repetitions' && values.secondFile && values.secondFile !== signal
  const file = second ? { file: referenceTo(values.secondFile, files) } : {}
  return { type: 'estimate', options: { source: values.noise, ...file } }
}

function mapsOf(values: Values, files: Files): Json {
  const maps: Json = {}
  if (isAsked('loadMaps', values) && values.loadMaps) maps['loadSensitivity'] = true
  if (isAsked('coilMaps', values) && values.coilMaps !== INITIAL.coilMaps) maps['sensitivityMapMethod'] = values.coilMaps
  if (isAsked('mapsFile', values) && values.mapsFile) maps['sensitivityMapSource'] = referenceTo(values.mapsFile, files)
  if (values.mask !== 'no') {
    maps['mask'] = withoutGaps({
      method: values.mask,
      value: isAsked('maskValue', values) ? asNumber(values.maskValue) : undefined,
      file: isAsked('maskFile', values) && values.maskFile ? referenceTo(values.maskFile, files) : undefined,
    })
  }
  return maps
}

function referenceTo(id: string, files: Files, multiraid = false): Json {
  const file = files.get(id)
  if (!file) throw new Error(`there is no data file ${id}`)
  return { type: 'file', options: { type: 's3', ...file, ...(multiraid ? { multiraid: true } : {}) } }
}

/** A number as it was typed; what is none stays as it is, for the Brain to say what is wrong with it. */
function asNumber(value: unknown): number | undefined {
  if (value === undefined || value === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : (value as number)
}

const withoutGaps = (json: Json): Json => Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined))
const asJson = (value: unknown): Json => (value !== null && typeof value === 'object' ? (value as Json) : {})
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const lower = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value.toLowerCase() : otherwise)
